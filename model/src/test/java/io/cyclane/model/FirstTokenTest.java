package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models that read nothing of a text but its first token: after the last attention no token but the
 * first of each text is computed, and the answers are the reference's.
 */
class FirstTokenTest {
    private static final double MOST = 1e-4;
    private static final int[] LENGTHS = {13, 0, 1, 48, 2};
    private static final int BATCHES = 16;
    private static final Capacity CAPACITY = new Capacity(70, 6);

    @TempDir Path temporary;

    static Stream<Arguments> models() {
        return Stream.of(
                Arguments.of("BERT", SmallModel.BERT, Task.EMBEDDING),
                Arguments.of("BERT", SmallModel.BERT, Task.CLASSIFICATION),
                Arguments.of("BERT", SmallModel.oneLabel(SmallModel.BERT), Task.RERANKING),
                Arguments.of("ALBERT", SmallModel.ALBERT, Task.EMBEDDING),
                Arguments.of("ALBERT", SmallModel.ALBERT, Task.CLASSIFICATION),
                Arguments.of("ModernBERT", SmallModel.MODERNBERT, Task.EMBEDDING),
                Arguments.of("ModernALBERT", SmallModel.MODERNALBERT, Task.EMBEDDING));
    }

    private TextModel model(String config, Task task, boolean isMean) {
        Path folder =
                task == Task.EMBEDDING
                        ? SmallModel.write(temporary, config, 21)
                        : SmallModel.write(temporary, config, 21, task);
        try {
            Files.writeString(
                    folder.resolve("1_Pooling/config.json"),
                    isMean
                            ? "{\"pooling_mode_mean_tokens\": true}"
                            : "{\"pooling_mode_cls_token\": true}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return TextModel.open(folder.toString());
    }

    @ParameterizedTest(name = "{0} {2}")
    @MethodSource("models")
    void answersAsTheReferenceDoes(String name, String config, Task task) {
        TextModel model = model(config, task, false);
        double[] exact = run(ReferenceBackend.openExact(), model, task);
        double naive = error(exact, run(ReferenceBackend.open(), model, task));
        double allowed = Math.min(4 * naive, MOST);
        double error = error(exact, run(Backends.open("cpu"), model, task));
        assertTrue(error <= allowed, () -> "e is %g, allowed %g".formatted(error, allowed));
    }

    @ParameterizedTest(name = "{0} {2}")
    @MethodSource("models")
    void nothingButAttentionEndsInRowsOfTokens(String name, String config, Task task) {
        TextModel model = model(config, task, false);
        try (Backend cpu = Backends.open("cpu")) {
            Program lowered = cpu.lower(model.program(task, CAPACITY));
            List<Step> onTokens =
                    lowered.steps().stream().filter(FirstTokenTest::givesRowsOfTokens).toList();
            assertTrue(
                    onTokens.getLast() instanceof Step.Apply apply
                            && apply.op() instanceof Attention,
                    lowered::toString);
        }
    }

    private static boolean givesRowsOfTokens(Step step) {
        return Step.written(step).stream()
                .map(Tensor::shape)
                .anyMatch(shape ->
                        shape.rank() > 0 && shape.extent(0).toString().startsWith("tokens<="));
    }

    /** Every token's vector is wanted: nothing is left out. */
    @Test
    void aMeanReadsAllTokens() {
        TextModel model = model(SmallModel.BERT, Task.EMBEDDING, true);
        try (Backend cpu = Backends.open("cpu")) {
            Program lowered = cpu.lower(model.program(Task.EMBEDDING, CAPACITY));
            assertEquals(2, lowered.steps().stream().filter(Step.Repeat.class::isInstance).count());
        }
    }

    /** Written out or not, a round reads the one packed copy of its group's weights. */
    @Test
    void theRoundThatIsWrittenOutSharesWeightsAndArena() {
        long[] arenas = new long[3];
        for (int i = 0; i < 3; i++) {
            String config =
                    SmallModel.ALBERT.replace(
                            "\"num_hidden_layers\": 4",
                            "\"num_hidden_layers\": " + List.of(1, 2, 12).get(i));
            PlanReport mean =
                    Planning.of(model(config, Task.EMBEDDING, true), new Capacity(512, 8));
            PlanReport first =
                    Planning.of(model(config, Task.EMBEDDING, false), new Capacity(512, 8));
            assertEquals(mean.residentWeightBytes(), first.residentWeightBytes());
            assertEquals(mean.groups(), first.groups());
            assertTrue(first.freshBytes() < mean.freshBytes());
            assertTrue(first.arenaBytes() <= mean.arenaBytes(), () -> first + " is not " + mean);
            arenas[i] = first.arenaBytes();
        }
        assertEquals(arenas[1], arenas[2]);
        // Of one round no dense layer is left that has a row for each token.
        assertTrue(arenas[0] < arenas[1], () -> Arrays.toString(arenas));
    }

    /**
     * RMS of x - exact over the RMS of the exact numbers. The largest error of so few numbers is
     * that of one ill-conditioned token, which says nothing of the other rounding's error.
     */
    private static double error(double[] exact, double[] actual) {
        assertEquals(exact.length, actual.length);
        double squares = 0;
        double errors = 0;
        for (int i = 0; i < exact.length; i++) {
            squares += exact[i] * exact[i];
            errors += (actual[i] - exact[i]) * (actual[i] - exact[i]);
        }
        return Math.sqrt(errors / squares);
    }

    private static double[] run(Backend backend, TextModel model, Task task) {
        Program program = model.program(task, CAPACITY);
        try (backend;
                Weights weights = backend.weights(model.weights(program))) {
            Executable executable = backend.compile(program, weights);
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                return IntStream.range(0, BATCHES)
                        .mapToObj(batch -> run(binding, program, batch))
                        .flatMapToDouble(Arrays::stream)
                        .toArray();
            }
        }
    }

    private static double[] run(Binding binding, Program program, int batch) {
        int tokens = Arrays.stream(LENGTHS).sum();
        int[] offsets = new int[LENGTHS.length + 1];
        for (int s = 0; s < LENGTHS.length; s++) {
            offsets[s + 1] = offsets[s] + LENGTHS[s];
        }
        write(binding, RaggedBatch.IDS, TestModels.ids(tokens, 80, batch));
        write(binding, RaggedBatch.TYPES, new int[tokens]);
        write(binding, RaggedBatch.OFFSETS, offsets);
        binding.count(RaggedBatch.TOKENS, tokens);
        binding.count(RaggedBatch.SEQUENCES, LENGTHS.length);
        binding.run();
        var output = program.outputs().entrySet().iterator().next();
        MemorySegment numbers = binding.output(output.getKey()).segment();
        int width = output.getValue().shape().last();
        double[] rows = new double[LENGTHS.length * width];
        boolean isWide = numbers.byteSize() == 8L * CAPACITY.sequences() * width;
        for (int i = 0; i < rows.length; i++) {
            rows[i] =
                    isWide
                            ? numbers.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                            : numbers.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        return rows;
    }

    private static void write(Binding binding, String input, int[] numbers) {
        MemorySegment.copy(
                numbers,
                0,
                binding.input(input).segment(),
                ValueLayout.JAVA_INT,
                0,
                numbers.length);
    }
}

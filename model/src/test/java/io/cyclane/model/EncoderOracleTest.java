package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.bert.Bert;
import io.cyclane.model.bert.BertConfig;
import io.cyclane.model.bert.BertConfig.Family;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole models against the reference backend with every value in F64. A worst-case bound would be
 * empty over so many layers, so the measure is e = max|x - exact| over the RMS of the exact
 * vectors: the CPU's must be at most 4 times that of the reference in F32, and at most 1e-4. What
 * is measured is the vector before it is scaled to length 1, which would hide a wrong scale. Wrong
 * models must not pass.
 */
class EncoderOracleTest {
    private static final double MOST = 1e-4;

    @TempDir Path temporary;

    @Test
    void smallBertAgreesAndWrongOnesDoNot() {
        Path folder = SmallBert.folder(temporary, 2);
        TokenBatch batch = new TokenBatch();
        for (int length : new int[] {1, 13, 100, 33, 2}) {
            batch.add(TestModels.ids(length, SmallBert.vocabulary().size(), length));
        }
        Trial trial = new Trial(folder, batch);
        trial.assertAgrees();
        trial.assertWrongOnesAreSeen(true);
        trial.assertEveryBiasCounts();
    }

    @Test
    void aWholeCheckpointAgreesAndWrongOnesDoNot() {
        Path folder = TestModels.shared("tribuo-bert-1l");
        Trial trial =
                new Trial(
                        folder,
                        tokens(
                                folder,
                                100,
                                "The quick brown fox jumps over the lazy dog.",
                                "Was it raining? ".repeat(40)));
        trial.assertAgrees();
        trial.assertWrongOnesAreSeen(false);
    }

    @Test
    void miniLmAgreesAndWrongOnesDoNot() {
        Path folder = TestModels.minilm();
        Trial trial =
                new Trial(
                        folder,
                        tokens(folder, 24, "Rivers carry stones to the sea.", "Rates rose again."));
        trial.assertAgrees();
        trial.assertWrongOnesAreSeen(true);
        trial.assertBiasCounts("encoder.layer.3.intermediate.dense.bias");
    }

    private static TokenBatch tokens(Path folder, int limit, String... texts) {
        Tokenizer tokenizer = Tokenizer.load(folder);
        TokenBatch batch = new TokenBatch();
        for (String text : texts) {
            tokenizer.encode(text, limit, batch);
        }
        return batch;
    }

    /** Changes the numbers of a parameter, row-major, on their way to the backend. */
    private interface Mutation extends BiConsumer<Parameter, MemorySegment> {}

    /** One model on one batch, with its exact vectors. */
    private static final class Trial {
        private final TextModel model;
        private final TokenBatch batch;
        private final double[] exact;
        private final double rms;
        private final double allowed;

        Trial(Path folder, TokenBatch batch) {
            TextModel stored = TextModel.open(folder.toString());
            this.model = with(stored, stored.encoder());
            this.batch = batch;
            this.exact = run(ReferenceBackend.openExact(), model, (_, _) -> {});
            double squares = 0;
            for (double x : exact) {
                squares += x * x;
            }
            rms = Math.sqrt(squares / exact.length);
            double naive = error(run(ReferenceBackend.open(), model, (_, _) -> {}));
            assertTrue(naive > 0, "the reference in F32 rounds");
            allowed = Math.min(4 * naive, MOST);
        }

        void assertAgrees() {
            double error = error(run(cpu(), model, (_, _) -> {}));
            System.out.printf(
                    "%s: e = %.2e, allowed %.2e%n",
                    model.folder().path().getFileName(), error, allowed);
            assertTrue(error <= allowed, () -> "e is %g, allowed %g".formatted(error, allowed));
        }

        /** An untrained model stays where both forms of GELU agree to rounding. */
        void assertWrongOnesAreSeen(boolean showsGelu) {
            Map<String, Double> errors = new LinkedHashMap<>();
            errors.put("a row dropped", error(run(cpu(), model, Trial::dropRow)));
            errors.put("q and k swapped", error(run(cpu(), model, Trial::swapQueryAndKey)));
            BertConfig config = BertConfig.of(Family.BERT, model.folder().config());
            errors.put("eps", error(run(cpu(), with(model, wrong(config, 1e-3f)), (_, _) -> {})));
            if (showsGelu) {
                Bert byTanh = wrong(config, Activation.GELU_TANH);
                errors.put("gelu by tanh", error(run(cpu(), with(model, byTanh), (_, _) -> {})));
            }
            errors.forEach((what, error) ->
                    assertTrue(
                            error > allowed,
                            () -> "%s: e is %g, within %g".formatted(what, error, allowed)));
        }

        void assertEveryBiasCounts() {
            for (Parameter parameter : model.embedding(capacity()).parameters().values()) {
                if (parameter.name().endsWith(".bias")) {
                    assertBiasCounts(parameter.name());
                }
            }
        }

        void assertBiasCounts(String bias) {
            int[] dropped = {0};
            double error =
                    error(
                            run(
                                    cpu(),
                                    model,
                                    (parameter, rows) -> {
                                        if (parameter.name().equals(bias)) {
                                            rows.fill((byte) 0);
                                            dropped[0]++;
                                        }
                                    }));
            assertEquals(1, dropped[0], bias + " was read");
            assertTrue(error > allowed, () -> bias + " dropped: " + error);
        }

        private static void dropRow(Parameter parameter, MemorySegment rows) {
            if (parameter.name().equals("encoder.layer.0.output.dense.weight")) {
                rows.asSlice(0, 4L * parameter.shape().last()).fill((byte) 0);
            }
        }

        /** Swaps the first two of the three row blocks that query, key and value are. */
        private static void swapQueryAndKey(Parameter parameter, MemorySegment rows) {
            if (parameter.name().startsWith("encoder.layer.0.attention.self.qkv.")) {
                long third = rows.byteSize() / 3;
                byte[] query = rows.asSlice(0, third).toArray(ValueLayout.JAVA_BYTE);
                MemorySegment.copy(rows, third, rows, 0, third);
                MemorySegment.copy(MemorySegment.ofArray(query), 0, rows, third, third);
            }
        }

        private static Backend cpu() {
            return Backends.open("cpu");
        }

        private static Bert wrong(BertConfig c, float eps) {
            return bert(c, c.function(), eps);
        }

        private static Bert wrong(BertConfig c, Activation function) {
            return bert(c, function, c.normEps());
        }

        private static Bert bert(BertConfig c, Activation function, float eps) {
            return new Bert(
                    new BertConfig(
                            c.family(),
                            c.vocabulary(),
                            c.width(),
                            c.layers(),
                            c.heads(),
                            c.hidden(),
                            c.positions(),
                            c.firstPosition(),
                            c.types(),
                            function,
                            eps,
                            c.isTied()));
        }

        private static TextModel with(TextModel m, TokenEncoder encoder) {
            return new TextModel(
                    m.folder(),
                    encoder,
                    m.pooling(),
                    false,
                    m.maxTokens(),
                    m.prompt(),
                    m.lowerCase());
        }

        private double error(double[] vectors) {
            double most = 0;
            for (int i = 0; i < exact.length; i++) {
                most = Math.max(most, Math.abs(vectors[i] - exact[i]));
            }
            return most / rms;
        }

        private Capacity capacity() {
            return new Capacity(batch.tokens(), batch.sequences());
        }

        /** {@return the vectors}, as wide as the backend computes them. */
        private double[] run(Backend backend, TextModel model, Mutation mutation) {
            Program program = model.embedding(capacity());
            WeightSource source = mutated(model.weights(program), mutation);
            try (backend;
                    Weights weights = backend.weights(source)) {
                Executable executable = backend.compile(program, weights);
                try (Session session = backend.open(executable)) {
                    return run(session.binding(executable), model.encoder().width());
                }
            }
        }

        private double[] run(Binding binding, int width) {
            write(binding, RaggedBatch.IDS, batch.ids(), batch.tokens());
            write(binding, RaggedBatch.TYPES, batch.typeIds(), batch.tokens());
            write(binding, RaggedBatch.OFFSETS, batch.offsets(), batch.sequences() + 1);
            binding.count(RaggedBatch.TOKENS, batch.tokens());
            binding.count(RaggedBatch.SEQUENCES, batch.sequences());
            binding.run();
            MemorySegment vectors = binding.output(TextModel.VECTORS).segment();
            int elements = batch.sequences() * width;
            if (vectors.byteSize() == 8L * elements) {
                return vectors.toArray(ValueLayout.JAVA_DOUBLE);
            }
            List<Double> wide = new ArrayList<>();
            for (float x : vectors.toArray(ValueLayout.JAVA_FLOAT)) {
                wide.add((double) x);
            }
            assertEquals(elements, wide.size());
            return wide.stream().mapToDouble(Double::doubleValue).toArray();
        }

        private static void write(Binding binding, String input, int[] numbers, int count) {
            MemorySegment.copy(
                    numbers, 0, binding.input(input).segment(), ValueLayout.JAVA_INT, 0, count);
        }

        private static WeightSource mutated(WeightSource stored, Mutation mutation) {
            return new WeightSource() {
                @Override
                public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
                    MemorySegment rows = stored.rows(parameter, memory);
                    mutation.accept(parameter, rows);
                    return rows;
                }

                @Override
                public void close() {
                    stored.close();
                }
            };
        }
    }
}

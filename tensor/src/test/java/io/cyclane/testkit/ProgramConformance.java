package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to whole programs: a small encoder, and what outlives a run. */
public abstract class ProgramConformance extends OpConformance {
    private static final float EPS = 1e-12f;
    private static final double MOST = 1e-4;

    private static Run encode(SmallEncoder encoder, Ragged ragged, long seed) {
        int[] ids = Generators.seeded(seed).integers(ragged.tokens(), SmallEncoder.VOCABULARY);
        return encoder.on(ragged, ids);
    }

    /** Four times what the same program errs by in naive F32, and at most {@link #MOST}. */
    private static double limit(Run run, String output, Map<String, double[]> exact) {
        try (Backend naive = NaiveKernels.open()) {
            double[] plain = run.on(naive, MemoryPlanner.separate()).get(output);
            return Math.min(MOST, 4 * Tolerance.relativeToRms(exact.get(output), plain));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 4", "4, 64"})
    void encodesAsTheExactReferenceDoes(long seed, int window) {
        Run run =
                encode(SmallEncoder.random(seed, EPS, window), Generators.raggedSmall(seed), seed);
        Map<String, double[]> exact = run.exactly();
        Map<String, double[]> actual = run.on(tested());
        for (String output : exact.keySet()) {
            double limit = limit(run, output, exact);
            double error = Tolerance.relativeToRms(exact.get(output), actual.get(output));
            assertTrue(
                    error <= limit,
                    () -> "%s, seed %d: %s of %s".formatted(output, seed, error, limit));
        }
    }

    /** The measure above sees what it must: each slip exceeds it on both outputs. */
    @Test
    void theMeasureSeesASlip() {
        Ragged ragged = Generators.raggedSmall(5);
        SmallEncoder encoder = SmallEncoder.random(5, EPS, 4);
        Run run = encode(encoder, ragged, 5);
        Map<String, double[]> exact = run.exactly();
        Map<String, SmallEncoder> slips = new LinkedHashMap<>();
        slips.put("a dropped bias of the attention", encoder.withoutBias("out"));
        slips.put("a dropped bias of the feed-forward", encoder.withoutBias("down"));
        slips.put("a wrong eps", encoder.copy(1e-5f, 4));
        slips.put("a window one too wide", encoder.copy(EPS, 5));
        slips.put("gate halves swapped", encoder.withHalvesSwapped("up.weight"));
        slips.put("no positions", encoder.withoutPositions());
        slips.forEach((slip, wrong) -> {
            Map<String, double[]> results = encode(wrong, ragged, 5).exactly();
            for (String output : exact.keySet()) {
                double error = Tolerance.relativeToRms(exact.get(output), results.get(output));
                double limit = limit(run, output, exact);
                assertTrue(
                        error > limit,
                        () -> "%s in %s: %s of %s".formatted(slip, output, error, limit));
            }
        });
    }

    @Test
    void aTextDoesNotDependOnItsNeighbours() {
        SmallEncoder encoder = SmallEncoder.random(6, EPS, 0);
        Ragged ragged = Generators.ragged(6);
        int[] ids = Generators.seeded(6).integers(ragged.tokens(), SmallEncoder.VOCABULARY);
        double[] all = encoder.on(ragged, ids).on(tested()).get("vectors");
        for (int s = 0; s < ragged.sequences(); s++) {
            int[] own = Arrays.copyOfRange(ids, ragged.start(s), ragged.start(s + 1));
            assertArrayEquals(
                    cut(all, SmallEncoder.WIDTH, s, 1),
                    encoder.on(Ragged.of(own.length), own).on(tested()).get("vectors"),
                    ragged + ", seed 6, sequence " + s);
        }
    }

    /** {@return whether the backend lowers programs with first rows picked early} */
    protected boolean picksFirstRowsEarly() {
        return false;
    }

    /** Bit for bit, of sequences of no tokens too. */
    @ParameterizedTest
    @ValueSource(longs = {8, 9})
    void firstRowsAreTheSameWhenTheyArePickedEarly(long seed) {
        Ragged ragged = seed == 8 ? Generators.ragged(seed) : Ragged.of(0, 1, 0);
        List<String> notes = tested().lower(FirstTokenEncoder.program(ragged, true)).notes();
        assertEquals(
                picksFirstRowsEarly(),
                notes.stream().anyMatch(note -> note.startsWith("picked early: ")),
                notes::toString);
        Run early = FirstTokenEncoder.run(ragged, true, seed);
        Map<String, double[]> exact = early.exactly();
        Map<String, double[]> actual = early.on(tested());
        Run late = FirstTokenEncoder.run(ragged, false, seed);
        Run.assertSameBits(late.on(tested()), actual, ragged + ", seed " + seed);
        double limit = limit(early, "vectors", exact);
        double error = Tolerance.relativeToRms(exact.get("vectors"), actual.get("vectors"));
        assertTrue(error <= limit, () -> "seed %d: %s of %s".formatted(seed, error, limit));
    }

    @Test
    void aRunLeavesNothingBehind() {
        Run run = encode(SmallEncoder.random(7, EPS, 4), Generators.raggedSmall(7), 7);
        try (Run.Opened opened = run.open(tested(), MemoryPlanner.shared())) {
            Map<String, double[]> first = opened.run();
            Run.assertSameBits(first, opened.run(), "a second run");
        }
    }

    @Test
    void refusesWhatItWasNotRecordedFor() {
        Recorder g = new Recorder("narrow");
        Tensor x = g.input("x", rows(4, 3));
        g.output("y", g.scale(x, 2));
        try (Weights weights = tested().weights(noWeights())) {
            Executable executable = tested().compile(g.program(), weights);
            try (Session session = tested().open(executable)) {
                Binding binding = session.binding(executable);
                assertThrows(IllegalStateException.class, binding::run);
                String message =
                        assertThrows(CapacityException.class, () -> binding.count("tokens", 8))
                                .getMessage();
                assertTrue(message.contains("8") && message.contains("7"), message);
                assertThrows(IllegalArgumentException.class, () -> binding.input("z"));
                binding.count("tokens", 7);
                binding.run();
            }
        }
    }

    @Test
    void variablesOutliveARun() {
        Variable total = new Variable("total", Type.f32(Shape.of(5)));
        Recorder g = new Recorder("running total");
        Tensor x = g.input("x", Type.f32(Shape.of(5)));
        Tensor before = g.variable(total);
        g.output("before", before);
        g.update(total, g.add(before, x));
        g.output("after", g.variable(total));
        try (Weights weights = tested().weights(noWeights());
                State state = tested().state(List.of(total))) {
            Executable executable = tested().compile(g.program(), weights);
            try (Session session = tested().open(List.of(executable), state)) {
                Binding binding = session.binding(executable);
                for (int i = 0; i < 5; i++) {
                    binding.input("x").segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
                }
                for (int run = 1; run <= 3; run++) {
                    binding.run();
                    assertEquals(4f * (run - 1), last(binding, "before"));
                    assertEquals(4f * run, last(binding, "after"));
                }
            }
        }
    }

    private static float last(Binding binding, String output) {
        return binding.output(output).segment().getAtIndex(ValueLayout.JAVA_FLOAT, 4);
    }

    private static WeightSource noWeights() {
        return (parameter, _) -> {
            throw new BackendException("there is no '" + parameter.name() + "'");
        };
    }
}

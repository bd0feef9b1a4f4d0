package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import io.cyclane.testkit.Run;
import io.cyclane.testkit.Tolerance;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Routed products where the choices are skewed, and in more of them than one block sorts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MixtureTest {
    private static final int EXPERTS = Mixtures.EXPERTS;

    private final Map<Precision, Backend> backends = new EnumMap<>(Precision.class);

    @BeforeAll
    void open() {
        for (Precision precision : Precision.values()) {
            backends.put(precision, GpuOnHost.open(HostDriver.orSkip(), precision));
        }
    }

    @AfterAll
    void close() {
        backends.values().forEach(Backend::close);
    }

    /**
     * Far above what sums of a few dozen products of numbers near 1 round, or what is stored once
     * or twice on the way; far below what a wrong row or a missing product makes of them.
     */
    private static double correct(Precision precision) {
        return switch (precision) {
            case F32 -> 1e-5;
            case TF32 -> 1e-2;
            case BF16 -> 0.15;
        };
    }

    /** Which expert a choice takes. */
    private enum Skew {
        ALL_ON_THE_FIRST(choice -> 0),
        ALL_ON_THE_LAST(choice -> EXPERTS - 1),
        ALL_ON_ONE_BETWEEN(choice -> 4),
        ONE_ON_ANOTHER(choice -> choice == 300 ? 7 : 3),
        EVERY_THIRD_UNCHOSEN(choice -> choice * 7 % EXPERTS / 3 * 3),
        BY_HALVES(choice -> choice < 301 ? 2 : 9),
        ALL_IN_TURN(choice -> choice % EXPERTS);

        private final IntUnaryOperator expert;

        Skew(IntUnaryOperator expert) {
            this.expert = expert;
        }

        int[] choices(int count) {
            int[] choices = new int[count];
            Arrays.setAll(choices, expert::applyAsInt);
            return choices;
        }
    }

    private void agrees(Run run, String what) {
        double[] exact = run.exactly().get("y");
        backends.forEach((precision, backend) -> {
            double e = Tolerance.relativeToRms(exact, run.on(backend).get("y"));
            assertTrue(e <= correct(precision), () -> what + " in " + precision + ": " + e);
        });
    }

    @ParameterizedTest
    @EnumSource
    void productsTakeAnySkew(Skew skew) {
        agrees(Mixtures.product(301, 19, 7, skew.choices(602)), skew + ", few outputs");
        agrees(Mixtures.product(301, 6, 70, skew.choices(602)), skew + ", many outputs");
    }

    @ParameterizedTest
    @EnumSource
    void mixturesTakeAnySkew(Skew skew) {
        agrees(Mixtures.mixture(151, EXPERTS, skew.choices(302)), skew + ", grouped");
        int[] ofEight = skew.choices(302);
        Arrays.setAll(ofEight, choice -> ofEight[choice] % 8);
        agrees(Mixtures.mixture(151, 8, ofEight), skew + ", all experts multiplied");
    }

    /** Whoever else chose its expert, and wherever in a tile that puts it. */
    @ParameterizedTest
    @EnumSource
    void aChoicesBitsDoNotDependOnWhoElseTookItsExpert(Precision precision) {
        int[] one = Skew.ALL_IN_TURN.choices(602);
        int[] other = Skew.ALL_ON_ONE_BETWEEN.choices(602);
        for (int row = 0; row < 301; row += 3) {
            System.arraycopy(one, 2 * row, other, 2 * row, 2);
        }
        Backend backend = backends.get(precision);
        assertSameRows(
                Mixtures.product(301, 19, 7, one).on(backend).get("y"),
                Mixtures.product(301, 19, 7, other).on(backend).get("y"),
                14);
        assertSameRows(
                Mixtures.mixture(301, EXPERTS, one).on(backend).get("y"),
                Mixtures.mixture(301, EXPERTS, other).on(backend).get("y"),
                70);
    }

    private static void assertSameRows(double[] wanted, double[] actual, int width) {
        for (int row = 0; row < 301; row += 3) {
            int from = row * width;
            assertArrayEquals(
                    Arrays.copyOfRange(wanted, from, from + width),
                    Arrays.copyOfRange(actual, from, from + width),
                    "row " + row);
        }
    }

    /** Widths of ModernALBERT: what a row takes is far from k times the width of wi's products. */
    @Test
    void noHiddenValueOfAChoiceIsInMemory() {
        int rows = 1021;
        Program lowered =
                backends.get(Precision.F32).lower(Mixtures.program(rows, 768, 1152, 16, 8));
        MemoryPlan plan = MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT);
        long wide = Mixtures.CHOICES * 2L * 1152 * Float.BYTES;
        long perRow = (plan.arenaBytes() - (rows + 3) * 768L * Float.BYTES) / (rows + 3);
        assertTrue(perRow < 0.6 * wide, () -> perRow + " bytes a row, of " + wide);
    }
}

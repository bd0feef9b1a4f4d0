package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import io.cyclane.testkit.Run;
import io.cyclane.testkit.Tolerance;
import java.util.Arrays;
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

    /**
     * Far above what sums of a few dozen products of numbers near 1 round, far below a wrong row.
     */
    private static final double CORRECT = 1e-5;

    private Backend backend;

    @BeforeAll
    void open() {
        backend = GpuOnHost.open();
    }

    @AfterAll
    void close() {
        backend.close();
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

    private void agrees(Run run, Skew skew) {
        Map<String, double[]> exact = run.exactly();
        double e = Tolerance.relativeToRms(exact.get("y"), run.on(backend).get("y"));
        assertTrue(e <= CORRECT, () -> skew + ": " + e);
    }

    @ParameterizedTest
    @EnumSource
    void productsTakeAnySkew(Skew skew) {
        agrees(Mixtures.product(301, 19, 7, skew.choices(602)), skew);
        agrees(Mixtures.product(301, 6, 70, skew.choices(602)), skew);
    }

    @ParameterizedTest
    @EnumSource
    void mixturesTakeAnySkew(Skew skew) {
        agrees(Mixtures.mixture(151, EXPERTS, skew.choices(302)), skew);
    }

    /** Whoever else chose its expert, and wherever in a tile that puts it. */
    @Test
    void aChoicesBitsDoNotDependOnWhoElseTookItsExpert() {
        int[] one = Skew.ALL_IN_TURN.choices(602);
        int[] other = Skew.ALL_ON_ONE_BETWEEN.choices(602);
        for (int choice = 0; choice < 602; choice += 3) {
            other[choice] = one[choice];
        }
        double[] first = Mixtures.product(301, 19, 7, one).on(backend).get("y");
        double[] second = Mixtures.product(301, 19, 7, other).on(backend).get("y");
        for (int choice = 0; choice < 602; choice += 3) {
            int from = choice * 7;
            assertArrayEquals(
                    Arrays.copyOfRange(first, from, from + 7),
                    Arrays.copyOfRange(second, from, from + 7),
                    "choice " + choice);
        }
    }

    /** Widths of ModernALBERT: what a row takes is far from k times the width of wi's products. */
    @Test
    void noHiddenValueOfAChoiceIsInMemory() {
        int rows = 1021;
        Program lowered = backend.lower(Mixtures.program(rows, 768, 1152, 16, 8));
        MemoryPlan plan = MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT);
        long wide = Mixtures.CHOICES * 2L * 1152 * Float.BYTES;
        long perRow = (plan.arenaBytes() - (rows + 3) * 768L * Float.BYTES) / (rows + 3);
        assertTrue(perRow < 0.6 * wide, () -> perRow + " bytes a row, of " + wide);
    }
}

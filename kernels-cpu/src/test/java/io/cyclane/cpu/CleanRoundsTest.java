package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.RmsNorm;
import org.junit.jupiter.api.Test;

class CleanRoundsTest {
    private static final CodePath MIXTURE = new CodePath(new MolGeGlu(1, false, true), 0, true);
    private static final CodePath MIXED = new CodePath(new MolGeGlu(1, true, true), 0, true);
    private static final CodePath GLU = new CodePath(new Glu(Activation.GELU), 0, false);

    private final CleanRounds rounds = new CleanRounds();

    @Test
    void threeRoundsWithoutAnAllocationAreEnough() {
        assertEquals(5, roundsUntilClean(MIXTURE, 9000, 9000, 0, 0, 0));
        assertEquals(7, roundsUntilClean(MIXTURE, 9000, 0, 0, 9000, 0, 0, 0));
    }

    @Test
    void aHundredthIsEnoughForAHundredRoundsInARow() {
        assertEquals(101, roundsUntilClean(MIXTURE, 9000, 90));
        assertEquals(-1, roundsUntilClean(GLU, 9000, 91));
    }

    /** What C2 leaves in the second path is a large part of what that one began with. */
    @Test
    void whatVectorsTakeIsKnownFromTheFirstPathOfAKind() {
        assertEquals(-1, roundsUntilClean(MIXED, 80, 80));
        assertEquals(5, roundsUntilClean(MIXTURE, 9000, 9000, 0, 0, 0));
        assertEquals(100, roundsUntilClean(MIXED, 80, 80));
        assertEquals(-1, roundsUntilClean(GLU, 80, 80));
    }

    @Test
    void productsAreOfOneKindWhateverIsAroundThem() {
        Linear linear = new Linear(true, Activation.IDENTITY, false, false, 1);
        Normed normed = new Normed(linear, new RmsNorm(1e-6f), null);
        assertEquals(4, roundsUntilClean(new CodePath(normed, 0, false), 9000, 0, 0, 0));
        assertEquals(100, roundsUntilClean(new CodePath(linear, 0, false), 80, 80));
    }

    @Test
    void nothingIsCleanWhereTheJvmDoesNotTell() {
        assertEquals(-1, roundsUntilClean(MIXTURE, -1, -1));
    }

    /** {@return after how many rounds, the last one repeated, or -1 for not at all} */
    private int roundsUntilClean(CodePath path, long... allocated) {
        CleanRounds.Count count = rounds.begin(path);
        for (int round = 1; round <= 1000; round++) {
            if (count.isCleanAfter(allocated[Math.min(round, allocated.length) - 1])) {
                return round;
            }
        }
        return -1;
    }
}

package io.cyclane.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class Bf16Test {
    @Test
    void everyNumberIsItself() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float x = Bf16.widened((short) bits);
            if (!Float.isNaN(x)) {
                assertEquals((short) bits, Bf16.rounded(x));
                assertEquals((short) bits, Bf16.rounded((double) x));
            }
        }
        assertTrue(Float.isNaN(Bf16.widened(Bf16.rounded(Float.NaN))));
        assertTrue(Float.isNaN(Bf16.widened(Bf16.rounded(Double.NaN))));
    }

    /** Between two neighbours the nearer one, and of two as near the even one. */
    @Test
    void theNearestIsTaken() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 100_000; i++) {
            int low = random.nextInt(0x7F7F);
            double a = Bf16.widened((short) low);
            double b = Bf16.widened((short) (low + 1));
            double middle = (a + b) / 2;
            assertEquals(low % 2 == 0 ? low : low + 1, Bf16.rounded(middle));
            assertEquals(low, Bf16.rounded(Math.nextDown(middle)));
            assertEquals(low + 1, Bf16.rounded(Math.nextUp(middle)));
            float half = (float) middle;
            if (half == middle) {
                assertEquals(low % 2 == 0 ? low : low + 1, Bf16.rounded(half));
                assertEquals(low, Bf16.rounded(Math.nextDown(half)));
                assertEquals(low + 1, Bf16.rounded(Math.nextUp(half)));
            }
        }
    }
}

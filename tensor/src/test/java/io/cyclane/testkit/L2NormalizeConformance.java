package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.op.L2Normalize;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link L2Normalize}. */
public abstract class L2NormalizeConformance extends OpConformance {
    private static final float FLOOR = 1e-12f;

    private static OneOp normalize(int rows, int width, float[] x) {
        return new OneOp(new L2Normalize(FLOOR))
                .with("x", rows(rows, width), x)
                .count("tokens", rows);
    }

    /**
     * The sum of squares, all positive, errs by a rounding per element; the root halves that and
     * adds one, then a division, which may be a reciprocal and a product.
     */
    private double[] agrees(int rows, int width, float[] x, String what) {
        double relative = Tolerance.roundings(width) / 2 + 4 * Tolerance.UNIT;
        return check(
                normalize(rows, width, x), what, (i, y) -> relative * Math.abs(y) + Tolerance.TINY);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        agrees(3, width, Generators.seeded(width).normal(3 * width), "seed " + width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(rows, 17, Generators.seeded(rows).normal(rows * 17), "seed " + rows);
    }

    @Test
    void takesHostileNumbers() {
        agrees(2, 33, Generators.seeded(1).normal(66, 0, 1e15), "large, seed 1");
        agrees(2, 33, Generators.seeded(2).normal(66, 0, 1e-9), "small, seed 2");
        agrees(2, 33, Generators.seeded(3).normal(66, 0, 1e-14), "under the floor, seed 3");
        float[] equal = new float[768];
        Arrays.fill(equal, 3.7f);
        agrees(1, 768, equal, "equal");
    }

    @Test
    void leavesZerosZero() {
        assertArrayEquals(new double[62], agrees(2, 31, new float[62], "zeros"));
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        checkRowsAlone(
                Generators.seeded(9).normal(40 * 61),
                40,
                61,
                61,
                some -> normalize(some.length / 61, 61, some));
    }
}

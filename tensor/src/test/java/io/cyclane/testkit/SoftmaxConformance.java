package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.op.Softmax;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Softmax}. */
public abstract class SoftmaxConformance extends OpConformance {
    private static OneOp softmax(int rows, int width, float[] x) {
        return new OneOp(new Softmax()).with("x", rows(rows, width), x).count("tokens", rows);
    }

    /**
     * An exponential errs as {@link Tolerance#exp} tells, and by the rounding of what it is taken
     * of: x and the maximum may each be scaled and rounded before they are subtracted. The sum errs
     * by the mean of that, weighted by y, and a rounding per element; then a reciprocal and a
     * product.
     */
    private double[] agrees(int rows, int width, float[] x, String what) {
        return check(softmax(rows, width, x), what, (i, y) -> allowed(width, x, i, y));
    }

    private static double allowed(int width, float[] x, int i, double y) {
        int row = i / width * width;
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < width; j++) {
            max = Math.max(max, x[row + j]);
        }
        double sum = 0;
        double weighted = 0;
        for (int j = 0; j < width; j++) {
            double exponential = Math.exp(x[row + j] - max);
            sum += exponential;
            weighted += exponential * exponential(x[row + j], max);
        }
        double relative =
                exponential(x[i], max)
                        + weighted / sum
                        + Tolerance.roundings(width)
                        + 2 * Tolerance.UNIT;
        return relative * y + Tolerance.TINY;
    }

    /** The relative error of {@code exp(x - max)}. */
    static double exponential(double x, double max) {
        return Tolerance.exp(x - max) + 2 * Tolerance.UNIT * (Math.abs(x) + Math.abs(max));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        agrees(3, width, Generators.seeded(width).normal(3 * width, 0, 3), "seed " + width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(rows, 17, Generators.seeded(rows).normal(rows * 17), "seed " + rows);
    }

    @Test
    void takesHostileNumbers() {
        agrees(2, 33, Generators.seeded(1).normal(66, 0, 50), "spread, seed 1");
        agrees(2, 33, Generators.seeded(2).normal(66, 900, 3), "far from zero, seed 2");
        agrees(2, 33, Generators.seeded(3).normal(66, -900, 3), "far below zero, seed 3");
        agrees(1, 127, new float[127], "zeros");
        float[] equal = new float[384];
        Arrays.fill(equal, 11.3f);
        agrees(1, 384, equal, "equal");
    }

    @Test
    void theLargestTakesAllWhereTheOthersVanish() {
        double[] wanted = new double[34];
        wanted[3] = 1;
        wanted[17] = 1;
        float[] x = new float[34];
        x[3] = 1e30f;
        Arrays.fill(x, 17, 34, -1e30f);
        x[17] = 0;
        assertArrayEquals(wanted, softmax(2, 17, x).direct().on(tested()).get("y0"));
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        checkRowsAlone(
                Generators.seeded(9).normal(40 * 61),
                40,
                61,
                61,
                some -> softmax(some.length / 61, 61, some));
    }
}

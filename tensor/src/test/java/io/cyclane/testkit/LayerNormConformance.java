package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.LayerNorm;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link LayerNorm}. */
public abstract class LayerNormConformance extends OpConformance {
    private static final float EPS = 1e-12f;

    /** A normalisation with the numbers it is done with. */
    private record Case(
            float eps,
            int rows,
            int width,
            float[] x,
            float[] weight,
            float[] bias,
            boolean biased) {
        static Case random(float eps, int rows, int width, boolean biased, Generators random) {
            return new Case(
                    eps,
                    rows,
                    width,
                    random.normal(rows * width),
                    random.normal(width),
                    random.normal(width),
                    biased);
        }

        Case of(float... other) {
            return new Case(eps, other.length / width, width, other, weight, bias, biased);
        }

        OneOp op() {
            OneOp op =
                    new OneOp(new LayerNorm(eps, biased))
                            .with("x", OpConformance.rows(rows, width), x)
                            .weight("weight", weight, width)
                            .count("tokens", rows);
            return biased ? op.weight("bias", bias, width) : op;
        }

        /**
         * The mean errs by a rounding per element of the mean magnitude, m. Each difference from it
         * is off by that and a rounding of its own; the mean of their squares, v, so by 2 m times
         * their mean magnitude, by m^2, and by a rounding per element. The root halves the relative
         * error of v + eps; it, a reciprocal, two products and a sum add a rounding each. All this
         * holds for the formula as it stands: the difference of mean square and squared mean would
         * err by far more where the mean outweighs the deviation.
         */
        double allowed(int i, double y) {
            int row = i / width * width;
            double mean = 0;
            double magnitude = 0;
            for (int j = 0; j < width; j++) {
                mean += x[row + j] / (double) width;
                magnitude += Math.abs(x[row + j]) / (double) width;
            }
            double variance = 0;
            double deviation = 0;
            for (int j = 0; j < width; j++) {
                variance += Math.pow(x[row + j] - mean, 2) / width;
                deviation += Math.abs(x[row + j] - mean) / width;
            }
            double meanError = Tolerance.roundings(width + 1) * magnitude;
            double varianceError =
                    2 * meanError * deviation
                            + meanError * meanError
                            + Tolerance.roundings(width + 4) * variance;
            double relative = varianceError / (variance + eps) / 2 + 6 * Tolerance.UNIT;
            double difference = Math.abs(x[i] - mean);
            double scale = Math.abs(weight[i % width]) / Math.sqrt(variance + eps);
            double normal = scale * difference;
            return scale * (meanError + Tolerance.UNIT * difference)
                    + (normal + scale * meanError) * relative
                    + Tolerance.UNIT * Math.abs(y)
                    + Tolerance.TINY;
        }
    }

    private void agrees(Case c, String what) {
        check(c.op(), what, c::allowed);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        Generators random = Generators.seeded(width);
        agrees(Case.random(EPS, 3, width, true, random), random.toString());
        agrees(Case.random(1e-5f, 3, width, false, random), random.toString());
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        Generators random = Generators.seeded(rows);
        agrees(Case.random(EPS, rows, 17, true, random), random.toString());
        agrees(Case.random(EPS, rows, 17, false, random), random.toString());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void takesHostileNumbers(boolean biased) {
        Generators random = Generators.seeded(5);
        Case c = Case.random(1e-5f, 2, 384, biased, random);
        agrees(c.of(random.normal(768, 1000, 1)), "a mean far above the deviation, seed 5");
        agrees(c.of(random.normal(768, 0, 1e15)), "large, seed 5");
        agrees(c.of(random.normal(768, 0, 1e-4)), "smaller than eps, seed 5");
        agrees(c.of(new float[768]), "zeros");
        float[] equal = new float[768];
        Arrays.fill(equal, 3f);
        agrees(c.of(equal), "equal");
        float[] single = new float[768];
        single[5] = 100f;
        agrees(c.of(single), "one outlier, then zeros");
    }

    @Test
    void takesStacks() {
        Case c = Case.random(EPS, 6, 5, false, Generators.seeded(4));
        check(
                new OneOp(new LayerNorm(EPS, false))
                        .with("x", Type.f32(Shape.of(2, 3, 5)), c.x)
                        .weight("weight", c.weight, 5),
                "seed 4",
                c::allowed);
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        Case c = Case.random(EPS, 40, 61, true, Generators.seeded(9));
        checkRowsAlone(c.x, 40, 61, 61, some -> c.of(some).op());
    }
}

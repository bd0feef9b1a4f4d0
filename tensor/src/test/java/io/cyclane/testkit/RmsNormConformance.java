package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.RmsNorm;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link RmsNorm}. */
public abstract class RmsNormConformance extends OpConformance {
    private static OneOp norm(float eps, int rows, int width, float[] x, float[] weight) {
        return new OneOp(new RmsNorm(eps))
                .with("x", rows(rows, width), x)
                .weight("weight", weight, width)
                .count("tokens", rows);
    }

    /**
     * The mean of squares errs by a rounding per element, one for the division and one for eps; the
     * root halves that and adds one; a reciprocal and two products follow.
     */
    static Tolerance tolerance(int width) {
        double relative = Tolerance.roundings(width + 2) / 2 + 5 * Tolerance.UNIT;
        return (i, y) -> relative * Math.abs(y) + Tolerance.TINY;
    }

    private void agrees(float eps, int rows, int width, float[] x, float[] weight, String what) {
        check(norm(eps, rows, width, x, weight), what, tolerance(width));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        Generators random = Generators.seeded(width);
        float[] x = random.normal(3 * width);
        agrees(1e-6f, 3, width, x, random.normal(width), random.toString());
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        Generators random = Generators.seeded(rows);
        agrees(1e-6f, rows, 17, random.normal(rows * 17), random.normal(17), random.toString());
    }

    @ParameterizedTest
    @ValueSource(floats = {1e-12f, 1e-5f, 0.5f})
    void takesAnyEps(float eps) {
        Generators random = Generators.seeded(3);
        float[] weight = random.normal(33);
        agrees(eps, 2, 33, random.normal(66, 0, 1e15), weight, "large, seed 3");
        agrees(eps, 2, 33, random.normal(66, 0, 1e-5), weight, "small, seed 3");
        agrees(eps, 2, 33, new float[66], weight, "zeros");
        float[] equal = new float[66];
        Arrays.fill(equal, -3.7f);
        agrees(eps, 2, 33, equal, weight, "equal");
    }

    @Test
    void takesStacks() {
        Generators random = Generators.seeded(4);
        check(
                new OneOp(new RmsNorm(1e-6f))
                        .with("x", Type.f32(Shape.of(2, 3, 5)), random.normal(30))
                        .weight("weight", random.normal(5), 5),
                random.toString(),
                tolerance(5));
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        Generators random = Generators.seeded(9);
        float[] weight = random.normal(61);
        checkRowsAlone(
                random.normal(40 * 61),
                40,
                61,
                61,
                some -> norm(1e-6f, some.length / 61, 61, some, weight));
    }
}

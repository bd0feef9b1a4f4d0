package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Scale}: one rounding, so the nearest F32. */
public abstract class ScaleConformance extends OpConformance {
    private void agrees(float factor, int rows, int width, float[] x, String what) {
        OneOp op =
                new OneOp(new Scale(factor)).with("x", rows(rows, width), x).count("tokens", rows);
        check(op, what, Tolerance.ROUNDED_ONCE);
    }

    @ParameterizedTest
    @ValueSource(floats = {0f, 1f, -1f, 0.125f, 0.1f, 3.7e-20f, 1e10f})
    void takesAnyFactor(float factor) {
        float[] x = Generators.seeded(1).normal(4 * 37, 0, 100);
        x[0] = 0f;
        x[1] = -0f;
        x[2] = 1e-44f;
        agrees(factor, 4, 37, x, "seed 1");
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        agrees(1.7f, 3, width, Generators.seeded(width).normal(3 * width), "seed " + width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(-0.3f, rows, 17, Generators.seeded(rows).normal(rows * 17), "seed " + rows);
    }

    @Test
    void takesScalarsAndStacks() {
        Generators random = Generators.seeded(2);
        check(
                new OneOp(new Scale(0.1f)).with("x", Type.f32(Shape.SCALAR), random.normal(1)),
                random.toString(),
                Tolerance.ROUNDED_ONCE);
        check(
                new OneOp(new Scale(0.1f))
                        .with("x", Type.f32(Shape.of(2, 3, 5)), random.normal(30)),
                random.toString(),
                Tolerance.ROUNDED_ONCE);
    }
}

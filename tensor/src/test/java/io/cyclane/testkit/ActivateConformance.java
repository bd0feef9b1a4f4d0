package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Activate}. */
public abstract class ActivateConformance extends OpConformance {
    /** Zeros, both ends of every function's bend, what overflows exp, what overflows a cube. */
    static final float[] HOSTILE = {
        0f, -0f, 1e-45f, -1e-45f, 1.2e-38f, -1.2e-38f, 1e-20f, -1e-20f, 1e-4f, -1e-4f, 0.5f, -0.5f,
        1f, -1f, 3f, -3f, 4.001f, -4.001f, 5.7f, -5.7f, 6.5f, -6.5f, 9f, -9f, 20f, -20f, 87f, -87f,
        88.8f, -88.8f, 104f, -104f, 1e4f, -1e4f, 1e15f, -1e15f, 1e38f, -1e38f
    };

    private void agrees(Activation function, Type type, int tokens, float[] x, String what) {
        OneOp op = new OneOp(new Activate(function)).with("x", type, x).count("tokens", tokens);
        check(op, what, (i, y) -> Tolerance.function(function, x[i], y));
    }

    @ParameterizedTest
    @EnumSource
    void takesHostileNumbers(Activation function) {
        for (int width : new int[] {1, HOSTILE.length / 2, HOSTILE.length}) {
            int rows = HOSTILE.length / width;
            agrees(function, rows(rows, width), rows, HOSTILE, "hostile");
        }
    }

    @ParameterizedTest
    @EnumSource
    void followsTheCurveClosely(Activation function) {
        float[] x = new float[4001];
        for (int i = 0; i < x.length; i++) {
            x[i] = (i - 2000) * 0.005f;
        }
        agrees(function, rows(1, x.length), 1, x, "-10 to 10");
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        Generators random = Generators.seeded(width);
        for (Activation function : Activation.values()) {
            float[] x = random.normal(3 * width, 0, 3);
            agrees(function, rows(3, width), 3, x, random.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        Generators random = Generators.seeded(rows);
        for (Activation function : Activation.values()) {
            agrees(function, rows(rows, 17), rows, random.normal(rows * 17), random.toString());
        }
    }

    @ParameterizedTest
    @EnumSource
    void takesAnyShape(Activation function) {
        agreesUncounted(function, Shape.SCALAR);
        agreesUncounted(function, Shape.of(19));
        agreesUncounted(function, Shape.of(2, 3, 5));
    }

    private void agreesUncounted(Activation function, Shape shape) {
        float[] x = Generators.seeded(5).normal((int) shape.elements());
        OneOp op = new OneOp(new Activate(function)).with("x", Type.f32(shape), x);
        check(op, "seed 5", (i, y) -> Tolerance.function(function, x[i], y));
    }

    @ParameterizedTest
    @EnumSource
    void aRowDoesNotDependOnItsNeighbours(Activation function) {
        float[] x = Generators.seeded(6).normal(40 * 23, 0, 3);
        checkRowsAlone(
                x,
                40,
                23,
                23,
                some ->
                        new OneOp(new Activate(function))
                                .with("x", rows(some.length / 23, 23), some)
                                .count("tokens", some.length / 23));
    }
}

package io.cyclane.testkit;

import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Glu;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Glu}. */
public abstract class GluConformance extends OpConformance {
    private static OneOp glu(Activation function, int rows, int width, float[] x) {
        return new OneOp(new Glu(function))
                .with("x", rows(rows, 2 * width), x)
                .count("tokens", rows);
    }

    /** The function's own error, enlarged by b, and the rounding of the product. */
    private void agrees(Activation function, int rows, int width, float[] x, String what) {
        check(
                glu(function, rows, width, x),
                what,
                (i, y) -> {
                    int at = i / width * 2 * width + i % width;
                    double a = x[at];
                    double b = x[at + width];
                    double ofA = b == 0 ? 0 : y / b;
                    return Math.abs(b) * Tolerance.function(function, a, ofA)
                            + Tolerance.UNIT * Math.abs(y)
                            + Tolerance.TINY;
                });
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        Generators random = Generators.seeded(width);
        for (Activation function : Activation.values()) {
            agrees(function, 3, width, random.normal(6 * width, 0, 2), random.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        Generators random = Generators.seeded(rows);
        for (Activation function : Activation.values()) {
            agrees(function, rows, 17, random.normal(rows * 34), random.toString());
        }
    }

    @ParameterizedTest
    @EnumSource
    void takesHostileNumbers(Activation function) {
        float[] hostile = ActivateConformance.HOSTILE;
        float[] x = new float[2 * hostile.length];
        System.arraycopy(hostile, 0, x, 0, hostile.length);
        for (int i = 0; i < hostile.length; i++) {
            x[hostile.length + i] = new float[] {0f, -0f, 1f, -0.3f, 0.9f}[i % 5];
        }
        agrees(function, 1, hostile.length, x, "hostile");
    }

    @ParameterizedTest
    @EnumSource
    void aRowDoesNotDependOnItsNeighbours(Activation function) {
        checkRowsAlone(
                Generators.seeded(8).normal(40 * 46),
                40,
                46,
                23,
                some -> glu(function, some.length / 46, 23, some));
    }
}

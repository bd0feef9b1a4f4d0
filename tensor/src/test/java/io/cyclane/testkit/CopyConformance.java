package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Copy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Copy}: the same bits. */
public abstract class CopyConformance extends OpConformance {
    private static final Tolerance NONE = (i, y) -> 0;

    private void agrees(int rows, int width, float[] x, String what) {
        OneOp op = new OneOp(new Copy()).with("x", rows(rows, width), x).count("tokens", rows);
        check(op, what, NONE);
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
        agrees(1, ActivateConformance.HOSTILE.length, ActivateConformance.HOSTILE, "hostile");
    }

    @Test
    void takesIntegers() {
        int[] x = {0, -1, Integer.MIN_VALUE, Integer.MAX_VALUE, 7, 0x7FC00001};
        check(
                new OneOp(new Copy())
                        .withIntegers("x", Type.i32(Shape.of(tokens(x.length))), x)
                        .count("tokens", x.length),
                "hostile",
                NONE);
        check(
                new OneOp(new Copy()).withIntegers("x", Type.i32(Shape.SCALAR), 42),
                "a scalar",
                NONE);
    }

    @Test
    void takesBorders() {
        Ragged ragged = Ragged.of(3, 0, 2);
        check(
                new OneOp(new Copy())
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .count("sequences", 3),
                ragged.toString(),
                NONE);
    }
}

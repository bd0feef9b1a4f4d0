package io.cyclane.testkit;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Rotary;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Rotary}. */
public abstract class RotaryConformance extends OpConformance {
    private static final int PLACES = 47;

    /** Cosines in the lower half of each row, sines in the upper. */
    static float[] table(int places, int headWidth) {
        float[] table = new float[places * headWidth];
        int half = headWidth / 2;
        for (int position = 0; position < places; position++) {
            for (int i = 0; i < half; i++) {
                double angle = position * Math.pow(10000, -2.0 * i / headWidth);
                table[position * headWidth + i] = (float) Math.cos(angle);
                table[position * headWidth + half + i] = (float) Math.sin(angle);
            }
        }
        return table;
    }

    private static OneOp turn(int width, int headWidth, float[] x, int... positions) {
        int rows = positions.length;
        return new OneOp(new Rotary())
                .with("x", rows(rows, width), x)
                .weight("table", table(PLACES, headWidth), PLACES, headWidth)
                .withIntegers("positions", Type.i32(Shape.of(tokens(rows))), positions)
                .count("tokens", rows);
    }

    /** Two products and a sum: 2 roundings of each product's magnitude. */
    private void agrees(int width, int headWidth, float[] x, String what, int... positions) {
        float[] table = table(PLACES, headWidth);
        int half = headWidth / 2;
        check(
                turn(width, headWidth, x, positions),
                what,
                (index, y) -> {
                    int i = index % headWidth % half;
                    int low = index - index % headWidth + i;
                    int angle = positions[index / width] * headWidth + i;
                    boolean isLow = index % headWidth < half;
                    double byCosine = (isLow ? x[low] : x[low + half]) * (double) table[angle];
                    double bySine = (isLow ? x[low + half] : x[low]) * (double) table[angle + half];
                    return Tolerance.roundings(2) * (Math.abs(byCosine) + Math.abs(bySine))
                            + Tolerance.TINY;
                });
    }

    private void agrees(int rows, int heads, int headWidth) {
        Generators random = Generators.seeded(rows + 41L * heads + 1681L * headWidth);
        int width = heads * headWidth;
        float[] x = random.normal(rows * width);
        agrees(width, headWidth, x, random.toString(), random.integers(rows, PLACES));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 2", "3, 2", "5, 6", "3, 14", "2, 16", "1, 18", "3, 30", "2, 32", "1, 34", "12, 32",
        "12, 64", "3, 66", "2, 128"
    })
    void takesAnyHead(int heads, int headWidth) {
        agrees(5, heads, headWidth);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(rows, 3, 10);
    }

    @Test
    void takesHostileNumbers() {
        int[] ends = {0, PLACES - 1, 0, 46, 1};
        agrees(24, 8, new float[120], "zeros", ends);
        agrees(24, 8, Generators.seeded(1).normal(120, 0, 1e30), "large, seed 1", ends);
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        checkRowsAlone(
                Generators.seeded(2).normal(40 * 96),
                40,
                96,
                96,
                some -> {
                    int[] positions = new int[some.length / 96];
                    Arrays.fill(positions, 31);
                    return turn(96, 32, some, positions);
                });
    }
}

package io.cyclane.testkit;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Combine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Combine}. */
public abstract class CombineConformance extends OpConformance {
    private void agrees(int rows, int choices, int width) {
        Generators random = Generators.seeded(rows + 41L * choices + 1681L * width);
        float[] gates = random.normal(rows * choices);
        float[] x = random.normal(rows * choices * width);
        agrees(rows, choices, width, gates, x, random.toString());
    }

    private void agrees(int rows, int choices, int width, float[] gates, float[] x, String what) {
        Type rowsOfX = Type.f32(Shape.of(tokens(rows), Extent.of(choices), Extent.of(width)));
        OneOp one =
                new OneOp(new Combine())
                        .with("gates", rows(rows, choices), gates)
                        .with("x", rowsOfX, x)
                        .count("tokens", rows);
        check(
                one,
                what,
                (i, y) -> {
                    double magnitudes = 0;
                    for (int j = 0; j < choices; j++) {
                        int choice = i / width * choices + j;
                        magnitudes +=
                                Math.abs((double) gates[choice] * x[choice * width + i % width]);
                    }
                    return Tolerance.roundings(choices) * magnitudes + choices * Tolerance.TINY;
                });
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        agrees(5, 2, width);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(rows, 2, 33);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void takesAnyCountOfChoices(int choices) {
        agrees(7, choices, 19);
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(3);
        float[] gates = random.normal(12);
        agrees(6, 2, 17, gates, random.normal(204, 0, 1e30), "large");
        agrees(6, 2, 17, new float[12], random.normal(204), "no gate open");
    }
}

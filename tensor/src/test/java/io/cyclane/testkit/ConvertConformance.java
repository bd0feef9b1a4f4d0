package io.cyclane.testkit;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.program.Recorder;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Holds a backend to {@link Convert}: from F32 to BF16 and back, the nearest number, ties to even.
 */
public abstract class ConvertConformance extends OpConformance {
    private static final Tolerance NONE = (i, y) -> 0;

    /** Numbers between two of BF16, on either side of the middle and in it. */
    static final float[] HOSTILE = {
        0f,
        -0f,
        1f,
        0x1.01p0f,
        0x1.03p0f,
        0x1.00fffep0f,
        0x1.010002p0f,
        -0x1.01p0f,
        -0x1.03p0f,
        0x1.fep0f,
        0x1.ffp0f,
        0x1.fffffep0f,
        Float.MIN_VALUE,
        0x1p-134f,
        0x1.8p-134f,
        0x1p-133f,
        Float.MIN_NORMAL,
        0x1.fep127f,
        0x1.fefffep127f,
        0x1.ffp127f,
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY
    };

    private void agrees(int rows, int width, float[] x, String what) {
        Recorder g = new Recorder("convert");
        Tensor stored = g.first(new Convert(DType.BF16), g.input("x", rows(rows, width)));
        // A copy too: elements of two bytes, an odd count of them.
        Tensor copied = g.copy(stored);
        g.output("y", g.first(new Convert(DType.F32), copied))
                .output("stored", g.first(new Convert(DType.F32), stored));
        Run run = Run.of(g.program()).given("x", x).count("tokens", rows);
        Map<String, double[]> exact = run.exactly();
        Map<String, double[]> actual = run.on(tested());
        exact.forEach((name, values) ->
                Tolerance.assertWithin(NONE, values, actual.get(name), what + ": " + name));
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
        agrees(1, HOSTILE.length, HOSTILE, "hostile");
    }
}

package io.cyclane.cpu.elementwise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import org.junit.jupiter.api.Test;

/** Sums, products, scaling and copies: one rounding each, so the oracle is exact. */
public class ElementwiseTest {
    private static final int ROWS = 23;

    @Test
    void sumsAndProductsOfTheSameShape() {
        for (int width : Values.hostileWidths()) {
            float[] a = Values.random(ROWS * width, 100f, width);
            float[] b = Values.random(ROWS * width, 1f, width + 1);
            for (Workers workers : Values.pools()) {
                Place sum = Values.empty(a.length);
                new AddKernel(Values.of(a), Values.of(b), sum, rows(), width, false, workers).run();
                Place product = Values.empty(a.length);
                new MultiplyKernel(
                                Values.of(a), Values.of(b), product, rows(), width, false, workers)
                        .run();
                float[] sums = Values.read(sum, a.length);
                float[] products = Values.read(product, a.length);
                for (int i = 0; i < a.length; i++) {
                    assertEquals(a[i] + b[i], sums[i]);
                    assertEquals(a[i] * b[i], products[i]);
                }
            }
        }
    }

    @Test
    void everyRowMeetsTheVector() {
        for (int width : Values.hostileWidths()) {
            float[] a = Values.random(ROWS * width, 100f, width);
            float[] b = Values.random(width, 1f, width + 1);
            for (Workers workers : Values.pools()) {
                Place sum = Values.of(a);
                new AddKernel(sum, Values.of(b), sum, rows(), width, true, workers).run();
                Place product = Values.of(a);
                new MultiplyKernel(product, Values.of(b), product, rows(), width, true, workers)
                        .run();
                float[] sums = Values.read(sum, a.length);
                float[] products = Values.read(product, a.length);
                for (int i = 0; i < a.length; i++) {
                    assertEquals(a[i] + b[i % width], sums[i]);
                    assertEquals(a[i] * b[i % width], products[i]);
                }
            }
        }
    }

    @Test
    void theResultMayBeEitherSide() {
        int width = 207;
        float[] a = Values.random(ROWS * width, 1f, 1);
        float[] b = Values.random(ROWS * width, 1f, 2);
        Workers workers = Workers.shared(2);
        Place apart = Values.empty(a.length);
        new AddKernel(Values.of(a), Values.of(b), apart, rows(), width, false, workers).run();
        Place left = Values.of(a);
        new AddKernel(left, Values.of(b), left, rows(), width, false, workers).run();
        Place right = Values.of(b);
        new AddKernel(Values.of(a), right, right, rows(), width, false, workers).run();
        assertArrayEquals(Values.read(apart, a.length), Values.read(left, a.length));
        assertArrayEquals(Values.read(apart, a.length), Values.read(right, a.length));
    }

    @Test
    void scales() {
        for (int width : Values.hostileWidths()) {
            float[] a = Values.random(ROWS * width, 3f, width);
            for (Workers workers : Values.pools()) {
                Place scaled = Values.of(a);
                new ScaleKernel(scaled, scaled, rows(), width, 0.3f, workers).run();
                float[] got = Values.read(scaled, a.length);
                for (int i = 0; i < a.length; i++) {
                    assertEquals(a[i] * 0.3f, got[i]);
                }
            }
        }
    }

    @Test
    void rowsBeyondTheCountStayAsTheyWere() {
        int width = 33;
        float[] a = Values.random(3 * width, 1f, 5);
        Place y = Values.of(new float[3 * width]);
        new ScaleKernel(Values.of(a), y, Count.fixed(2), width, 1, Workers.shared(1)).run();
        assertEquals(a[2 * width - 1], Values.read(y, 3 * width)[2 * width - 1]);
        assertEquals(0f, Values.read(y, 3 * width)[2 * width]);
        new ScaleKernel(Values.of(a), y, Count.fixed(0), width, 1, Workers.shared(1)).run();
        assertEquals(0f, Values.read(y, 3 * width)[2 * width]);
    }

    private static Count rows() {
        return Count.fixed(ROWS);
    }
}

package io.cyclane.cpu.activation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.Values;
import io.cyclane.cpu.math.Exact;
import io.cyclane.cpu.math.ScalarMath;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Activations against double precision and bit for bit against their scalar forms; softmax. */
public class ActivationTest {
    private static final int ROWS = 19;
    private static final double U = Values.U;

    @Test
    void everyActivationIsItsFormula() {
        for (Activation activation : Activation.values()) {
            for (int width : Values.hostileWidths()) {
                float[] x = Values.random(ROWS * width, 8f, width);
                for (Workers workers : Values.pools()) {
                    Place y = Values.of(x);
                    new ActivateKernel(y, y, rows(), width, activation, workers).run();
                    float[] got = Values.read(y, x.length);
                    for (int i = 0; i < x.length; i++) {
                        assertEquals(scalar(activation, x[i]), got[i], activation + " " + x[i]);
                        // Stated errors are below 5 ulp but in the far tail of the tanh form.
                        double allowed = 10 * U * Math.abs(exact(activation, x[i])) + 1e-6 * U;
                        if (activation != Activation.GELU_TANH || x[i] > 0) {
                            assertEquals(exact(activation, x[i]), got[i], allowed);
                        } else {
                            assertEquals(exact(activation, x[i]), got[i], 10 * U);
                        }
                    }
                }
            }
        }
    }

    @Test
    void theFirstHalfIsActivatedAndTheSecondMultiplies() {
        for (Activation activation : Activation.values()) {
            for (int width : Values.hostileWidths()) {
                float[] x = Values.random(ROWS * 2 * width, 8f, width);
                for (Workers workers : Values.pools()) {
                    Place y = Values.empty(ROWS * width);
                    new GluKernel(Values.of(x), y, rows(), width, activation, workers).run();
                    float[] got = Values.read(y, ROWS * width);
                    for (int i = 0; i < got.length; i++) {
                        int a = i / width * 2 * width + i % width;
                        float wanted = scalar(activation, x[a]) * x[a + width];
                        assertEquals(wanted, got[i], activation + " width " + width);
                    }
                }
            }
        }
    }

    @Test
    void softmaxAgreesWithDoubleSums() {
        for (int width : Values.hostileWidths()) {
            for (float size : new float[] {0f, 1f, 80f, 1e30f}) {
                float[] x = Values.random(ROWS * width, size, width);
                Place y = Values.empty(x.length);
                new SoftmaxKernel(Values.of(x), y, rows(), width, Workers.shared(1)).run();
                checkSoftmax(x, Values.read(y, x.length), width);
            }
        }
    }

    @Test
    void softmaxBitsDependOnTheRowAlone() {
        int width = 207;
        float[] x = Values.random(ROWS * width, 5f, 3);
        for (Workers workers : Values.pools()) {
            Place y = Values.of(x);
            new SoftmaxKernel(y, y, rows(), width, workers).run();
            for (int row = 0; row < ROWS; row++) {
                Place one = Values.of(Arrays.copyOfRange(x, row * width, (row + 1) * width));
                new SoftmaxKernel(one, one, Count.fixed(1), width, Workers.shared(1)).run();
                float[] inBatch =
                        Arrays.copyOfRange(
                                Values.read(y, x.length), row * width, (row + 1) * width);
                assertArrayEquals(Values.read(one, width), inBatch);
            }
        }
    }

    @Test
    void softmaxOfInfinities() {
        float inf = Float.POSITIVE_INFINITY;
        Place y = Values.of(-inf, 0f, 0f, -inf, -inf, -inf, 1f, Float.NaN, 1f);
        new SoftmaxKernel(y, y, Count.fixed(3), 3, Workers.shared(1)).run();
        float nan = Float.NaN;
        float[] wanted = {0f, 0.5f, 0.5f, nan, nan, nan, nan, nan, nan};
        assertArrayEquals(wanted, Values.read(y, 9));
    }

    private static void checkSoftmax(float[] x, float[] got, int width) {
        for (int row = 0; row < ROWS; row++) {
            int first = row * width;
            double highest = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < width; i++) {
                highest = Math.max(highest, x[first + i]);
            }
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += Math.exp(x[first + i] - highest);
            }
            for (int i = 0; i < width; i++) {
                double below = Math.min(200, highest - x[first + i]);
                double wanted = Math.exp(x[first + i] - highest) / sum;
                // The argument is rounded, its power is within 2 U, and so are the others in the
                // sum, whose weight falls as their arguments grow: b exp(-b) is at most 1.
                double allowed = wanted * U * (below + width + width + 8) + 0x1p-148;
                double error = Math.abs(wanted - got[first + i]);
                assertTrue(error <= allowed, () -> "width " + width + ": " + error);
            }
        }
    }

    private static float scalar(Activation activation, float x) {
        return switch (activation) {
            case IDENTITY -> x;
            case GELU -> ScalarMath.gelu(x);
            case GELU_TANH -> ScalarMath.geluTanh(x);
            case SILU -> ScalarMath.silu(x);
            case RELU -> Math.max(x, 0f);
            case TANH -> ScalarMath.tanh(x);
        };
    }

    private static double exact(Activation activation, double x) {
        return switch (activation) {
            case IDENTITY -> x;
            case GELU -> Exact.gelu(x);
            case GELU_TANH -> Exact.geluTanh(x);
            case SILU -> Exact.silu(x);
            case RELU -> Math.max(x, 0);
            case TANH -> StrictMath.tanh(x);
        };
    }

    private static Count rows() {
        return Count.fixed(ROWS);
    }
}

package io.cyclane.cpu.norm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.Values;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Norms against sums in double, within the error that their roundings can make. */
public class NormTest {
    private static final int ROWS = 37;
    private static final double U = Values.U;

    @Test
    void layerNormAgreesWithDoubleSums() {
        for (int width : Values.hostileWidths()) {
            float[] weight = Values.random(width, 2f, width + 1);
            float[] bias = Values.random(width, 2f, width + 2);
            for (float[] x : inputs(width)) {
                checkLayerNorm(x, weight, null, width, 1e-5f);
                checkLayerNorm(x, weight, bias, width, 1e-12f);
            }
        }
    }

    @Test
    void rmsNormAgreesWithDoubleSums() {
        for (int width : Values.hostileWidths()) {
            float[] weight = Values.random(width, 2f, width + 1);
            for (float[] x : inputs(width)) {
                Place y = Values.empty(x.length);
                RowNorm norm = new RmsNormRows(Values.of(weight), width, 1e-6f);
                new NormKernel(norm, Values.of(x), y, rows(), pool()).run();
                float[] got = Values.read(y, x.length);
                for (int i = 0; i < x.length; i++) {
                    double mean = squares(x, i / width, width) / width;
                    double wanted = x[i] / Math.sqrt(mean + (double) 1e-6f) * weight[i % width];
                    // The root halves the error of a sum of width terms; six roundings follow.
                    double allowed = Math.abs(wanted) * U * (0.5 * width + 6);
                    assertEquals(wanted, got[i], allowed, "width " + width + ", element " + i);
                }
            }
        }
    }

    @Test
    void lengthsBecomeOne() {
        for (int width : Values.hostileWidths()) {
            for (float[] x : inputs(width)) {
                Place y = Values.of(x);
                new L2NormalizeKernel(y, y, rows(), width, 1e-12f, pool()).run();
                float[] got = Values.read(y, x.length);
                for (int i = 0; i < x.length; i++) {
                    double length = Math.sqrt(squares(x, i / width, width));
                    double wanted = x[i] / Math.max(length, 1e-12f);
                    double allowed = Math.abs(wanted) * U * (0.5 * width + 4);
                    assertEquals(wanted, got[i], allowed, "width " + width + ", element " + i);
                }
            }
        }
    }

    @Test
    void aRowOfZerosHasNoDirection() {
        float[] zeros = new float[3 * 384];
        Place y = Values.of(zeros);
        new L2NormalizeKernel(y, y, Count.fixed(3), 384, 1e-12f, pool()).run();
        assertArrayEquals(zeros, Values.read(y, zeros.length));
    }

    @Test
    void bitsDependOnTheRowAlone() {
        for (int width : Values.hostileWidths()) {
            float[] x = Values.random(ROWS * width, 3f, width);
            float[] weight = Values.random(width, 2f, width + 1);
            float[] bias = Values.random(width, 2f, width + 2);
            RowNorm norm = new LayerNormRows(Values.of(weight), Values.of(bias), width, 1e-5f);
            float[] first = null;
            for (Workers workers : Values.pools()) {
                Place y = Values.of(x);
                new NormKernel(norm, y, y, rows(), workers).run();
                float[] got = Values.read(y, x.length);
                first = first == null ? got : first;
                assertArrayEquals(first, got, "threads " + workers.threads());
            }
            int row = ROWS - 2;
            float[] alone = Arrays.copyOfRange(x, row * width, (row + 1) * width);
            Place y = Values.empty(width);
            new NormKernel(norm, Values.of(alone), y, Count.fixed(1), pool()).run();
            float[] inBatch = Arrays.copyOfRange(first, row * width, (row + 1) * width);
            assertArrayEquals(inBatch, Values.read(y, width));
        }
    }

    private static void checkLayerNorm(
            float[] x, float[] weight, float @Nullable [] bias, int width, float eps) {
        Place y = Values.empty(x.length);
        Place shift = bias == null ? null : Values.of(bias);
        RowNorm norm = new LayerNormRows(Values.of(weight), shift, width, eps);
        new NormKernel(norm, Values.of(x), y, rows(), pool()).run();
        float[] got = Values.read(y, x.length);
        for (int row = 0; row < ROWS; row++) {
            double sum = 0;
            double size = 0;
            for (int i = row * width; i < (row + 1) * width; i++) {
                sum += x[i];
                size = Math.max(size, Math.abs(x[i]));
            }
            double mean = sum / width;
            double variance = 0;
            for (int i = row * width; i < (row + 1) * width; i++) {
                variance += (x[i] - mean) * (x[i] - mean) / width;
            }
            // A sum of width terms, a division and a difference leave each difference this far off.
            double off = (width + 3) * U * size;
            double varianceOff =
                    2 * off * Math.sqrt(variance) + off * off + (width + 3) * U * variance;
            double scale = 1 / Math.sqrt(variance + eps);
            double least = 1 / Math.sqrt(variance + varianceOff + eps);
            double most = 1 / Math.sqrt(Math.max(0, variance - varianceOff) + eps);
            double scaleOff = Math.max(most - scale, scale - least) + 4 * U * most;
            for (int i = row * width; i < (row + 1) * width; i++) {
                double shifted = bias == null ? 0 : bias[i - row * width];
                double w = Math.abs(weight[i - row * width]);
                double d = x[i] - mean;
                double wanted = d * scale * weight[i - row * width] + shifted;
                double allowed =
                        w * (Math.abs(d) * scaleOff + off * (scale + scaleOff))
                                + 3 * U * (w * Math.abs(d) * scale + Math.abs(wanted));
                double error = Math.abs(wanted - got[i]);
                assertTrue(
                        error <= allowed,
                        "width " + width + ", element " + i + ": " + error + " > " + allowed);
            }
        }
    }

    /** Ordinary rows, rows far from zero, equal values, large and small magnitudes. */
    private static float[][] inputs(int width) {
        float[] ordinary = Values.random(ROWS * width, 3f, width);
        float[] far = ordinary.clone();
        float[] large = ordinary.clone();
        float[] small = ordinary.clone();
        float[] equal = new float[ROWS * width];
        Arrays.fill(equal, 0.7f);
        for (int i = 0; i < far.length; i++) {
            far[i] += 1000f;
            large[i] *= 1e15f;
            small[i] *= 1e-6f;
        }
        return new float[][] {ordinary, far, large, small, equal};
    }

    private static double squares(float[] x, int row, int width) {
        double sum = 0;
        for (int i = row * width; i < (row + 1) * width; i++) {
            sum += (double) x[i] * x[i];
        }
        return sum;
    }

    private static Count rows() {
        return Count.fixed(ROWS);
    }

    private static Workers pool() {
        return Workers.shared(1);
    }
}

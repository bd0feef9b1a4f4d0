package io.cyclane.cpu.math;

import io.cyclane.cpu.Lanes;

/** Sums of many numbers in the order in which vectors of {@link Lanes#F32} take them. */
public final class ScalarSums {
    private static final int L = Lanes.COUNT;

    private ScalarSums() {}

    /** {@return the sum of {@link Lanes#COUNT} lanes, as {@link VectorMath#sum} takes it} */
    public static float ofLanes(float[] lanes) {
        float[] sums = lanes.clone();
        for (int half = L / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                sums[lane] += sums[lane + half];
            }
        }
        return sums[0];
    }

    /**
     * {@return the sum of the elements}, kept in four vectors: vector j takes every fourth group of
     * lanes from group j on. What is left of whole groups goes to vector 0, then the vectors are
     * joined as (0 + 1) + (2 + 3), then the lanes, then comes the last broken group.
     */
    public static float of(float[] x) {
        float[] parts = new float[4 * L];
        int fours = x.length / (4 * L) * (4 * L);
        int whole = x.length / L * L;
        for (int i = 0; i < fours; i += 4 * L) {
            for (int j = 0; j < 4 * L; j++) {
                parts[j] += x[i + j];
            }
        }
        for (int i = fours; i < whole; i += L) {
            for (int j = 0; j < L; j++) {
                parts[j] += x[i + j];
            }
        }
        float sum = joined(parts);
        for (int i = whole; i < x.length; i++) {
            sum += x[i];
        }
        return sum;
    }

    /** {@return the sum of the squares of the elements less a mean}, in the order of {@link #of} */
    public static float ofSquares(float[] x, float mean) {
        float[] parts = new float[4 * L];
        int fours = x.length / (4 * L) * (4 * L);
        int whole = x.length / L * L;
        for (int i = 0; i < fours; i += 4 * L) {
            for (int j = 0; j < 4 * L; j++) {
                float d = x[i + j] - mean;
                parts[j] = Math.fma(d, d, parts[j]);
            }
        }
        for (int i = fours; i < whole; i += L) {
            for (int j = 0; j < L; j++) {
                float d = x[i + j] - mean;
                parts[j] = Math.fma(d, d, parts[j]);
            }
        }
        float sum = joined(parts);
        for (int i = whole; i < x.length; i++) {
            float d = x[i] - mean;
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    private static float joined(float[] parts) {
        float[] lanes = new float[L];
        for (int j = 0; j < L; j++) {
            lanes[j] = (parts[j] + parts[L + j]) + (parts[2 * L + j] + parts[3 * L + j]);
        }
        return ofLanes(lanes);
    }
}

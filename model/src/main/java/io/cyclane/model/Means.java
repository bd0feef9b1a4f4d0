package io.cyclane.model;

import org.jspecify.annotations.Nullable;

/**
 * Joins the rows that the parts of a text gave: their mean by numbers of tokens. A text of one part
 * keeps its row, to the bit.
 */
final class Means implements Joined {
    private final float[] @Nullable [] rows;
    private final double[] @Nullable [] sums;
    private final long[] tokens;
    private final boolean normalize;

    /**
     * For so many texts.
     *
     * @param normalize whether a mean of several rows is scaled to length 1
     */
    Means(int items, boolean normalize) {
        this.rows = new float[items] @Nullable [];
        this.sums = new double[items] @Nullable [];
        this.tokens = new long[items];
        this.normalize = normalize;
    }

    @Override
    public void add(int item, float[] row, int length) {
        float[] only = rows[item];
        if (only == null) {
            rows[item] = row;
            tokens[item] = length;
            return;
        }
        double[] sum = sums[item];
        if (sum == null) {
            sum = new double[row.length];
            accumulate(sum, only, tokens[item]);
            sums[item] = sum;
        }
        accumulate(sum, row, length);
        tokens[item] += length;
    }

    private static void accumulate(double[] sum, float[] row, long weight) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * (double) row[i];
        }
    }

    @Override
    public float[][] vectors() {
        float[][] vectors = new float[rows.length][];
        for (int item = 0; item < vectors.length; item++) {
            vectors[item] = vector(item);
        }
        return vectors;
    }

    private float[] vector(int item) {
        float[] only = rows[item];
        if (only == null) {
            throw new AssertionError("text " + item + " was not read");
        }
        double[] sum = sums[item];
        if (sum == null) {
            return only;
        }
        double squares = 0;
        for (double x : sum) {
            squares += x * x;
        }
        double divisor = normalize ? Math.max(Math.sqrt(squares), 1e-12) : tokens[item];
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / divisor);
        }
        return mean;
    }
}

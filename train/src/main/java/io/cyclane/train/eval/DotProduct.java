package io.cyclane.train.eval;

/** The score of two vectors. */
public final class DotProduct {
    private DotProduct() {}

    /**
     * {@return sum over i of a[i] * b[i]}
     *
     * <p>Products are exact and summed in {@code double}, in order, then rounded once: equal texts
     * score equally, wherever they stand.
     *
     * @throws IllegalArgumentException when lengths differ, or the sum is not finite
     */
    public static float of(float[] a, float[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(
                    "vectors of "
                            + a.length
                            + " and "
                            + b.length
                            + " elements have no dot product");
        }
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        float score = (float) sum;
        if (!Float.isFinite(score)) {
            throw new IllegalArgumentException(
                    "a vector holds NaN, infinity or huge values: its score is " + score);
        }
        return score;
    }
}

package io.cyclane.model;

/** How alike two vectors are. */
final class Cosine {
    private Cosine() {}

    static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    /** {@return the cosine of the angle between two vectors that are not zero} */
    static double of(float[] a, float[] b) {
        return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    }
}

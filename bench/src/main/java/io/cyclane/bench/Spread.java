package io.cyclane.bench;

import java.util.Arrays;

/**
 * What several runs of one measurement gave.
 *
 * @param median the middle one, or the mean of the middle two
 * @param runs how many there were
 */
public record Spread(double median, double min, double max, int runs) {
    /** {@return the spread of these samples, of which there is at least one} */
    public static Spread of(double... samples) {
        if (samples.length == 0) {
            throw new IllegalArgumentException("a spread has at least one sample");
        }
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        double median =
                sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1], sorted.length);
    }

    /** {@return the spread of these rates in thousands of millions} */
    public static Spread ofGigas(double... rates) {
        return of(Arrays.stream(rates).map(rate -> rate * 1e-9).toArray());
    }

    /** {@return the spread of a[i] / b[i]: pairs that were measured one after the other} */
    public static Spread ofRatios(double[] a, double[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(
                    "pairs want as many of one as of the other, came %d and %d"
                            .formatted(a.length, b.length));
        }
        double[] ratios = new double[a.length];
        Arrays.setAll(ratios, i -> a[i] / b[i]);
        return of(ratios);
    }
}

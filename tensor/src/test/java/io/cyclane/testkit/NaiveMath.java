package io.cyclane.testkit;

import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The formulas of {@link NaiveKernels} that are worth a name, all in F32. */
final class NaiveMath {
    private static final float SQRT_HALF = (float) Math.sqrt(0.5);
    private static final float SQRT_TWO_OVER_PI = (float) Math.sqrt(2 / Math.PI);

    private NaiveMath() {}

    static float get(Place place, long index) {
        return place.segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED, place.offset() + 4 * index);
    }

    static void set(Place place, long index, float value) {
        place.segment().set(ValueLayout.JAVA_FLOAT_UNALIGNED, place.offset() + 4 * index, value);
    }

    static int integer(Place place, long index) {
        return place.segment().get(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index);
    }

    static void setInteger(Place place, long index, int value) {
        place.segment().set(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index, value);
    }

    static float[] row(Place place, long index, int width) {
        return place.segment()
                .asSlice(place.offset() + 4 * index, 4L * width)
                .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    static void setRow(Place place, long index, float[] row) {
        MemorySegment.copy(
                row,
                0,
                place.segment(),
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                place.offset() + 4 * index,
                row.length);
    }

    static float sum(float[] row) {
        float sum = 0;
        for (float x : row) {
            sum += x;
        }
        return sum;
    }

    static float sumOfSquares(float[] row) {
        float sum = 0;
        for (float x : row) {
            sum += x * x;
        }
        return sum;
    }

    static void l2Normalize(float[] row, float floor) {
        float norm = Math.max((float) Math.sqrt(sumOfSquares(row)), floor);
        for (int j = 0; j < row.length; j++) {
            row[j] /= norm;
        }
    }

    /** Of the first n numbers; returns the logarithm of the sum of their exponentials. */
    static float softmax(float[] row, int n) {
        float max = Float.NEGATIVE_INFINITY;
        for (int j = 0; j < n; j++) {
            max = Math.max(max, row[j]);
        }
        float sum = 0;
        for (int j = 0; j < n; j++) {
            row[j] = exp(row[j] - max);
            sum += row[j];
        }
        for (int j = 0; j < n; j++) {
            row[j] /= sum;
        }
        return max + (float) Math.log(sum);
    }

    static float of(Activation function, float x) {
        return switch (function) {
            case IDENTITY -> x;
            case GELU -> 0.5f * x * (1 + erf(x * SQRT_HALF));
            case GELU_TANH ->
                    0.5f
                            * x
                            * (1
                                    + (float)
                                            Math.tanh(
                                                    SQRT_TWO_OVER_PI
                                                            * (x + 0.044715f * x * x * x)));
            case SILU -> x / (1 + exp(-x));
            case RELU -> Math.max(x, 0);
            case TANH -> (float) Math.tanh(x);
        };
    }

    private static float exp(float x) {
        return (float) Math.exp(x);
    }

    /**
     * The Maclaurin series, in double: where its terms are largest, at 4, they cancel to 1e-9. From
     * there on erf rounds to 1.
     */
    private static float erf(float x) {
        if (Math.abs(x) >= 4) {
            return Math.signum(x);
        }
        double sum = 0;
        double term = x;
        for (int n = 0; Math.abs(term) > 1e-12; n++) {
            sum += term / (2 * n + 1);
            term *= -(double) x * x / (n + 1);
        }
        return (float) (2 / Math.sqrt(Math.PI) * sum);
    }
}

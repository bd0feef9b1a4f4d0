package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.op.Activation;

/**
 * How far from the exact result one of F32 arithmetic may lie. Bounds are worst cases, in any order
 * of summation and with or without fused multiply-adds; the notation is that of N. J. Higham,
 * "Accuracy and Stability of Numerical Algorithms", second edition, chapter 3.
 *
 * <p>A backend computes exp, tanh and erf its own way. What is asked of it: an erf that errs by at
 * most 4 unit roundoffs of 1, a tanh by 6 (it may go through exp), an exp by 4 of its result and
 * its argument's rounding, which is scaled to a power of two: 2 |x| more.
 */
@FunctionalInterface
public interface Tolerance {
    /** The unit roundoff of F32: half the distance from 1 to the next number. */
    double UNIT = 0x1p-24;

    /** The least normal F32; below it relative error has no meaning. */
    double TINY = Float.MIN_NORMAL;

    /** The result is the F32 nearest to the exact one: a single rounding, or none. */
    Tolerance ROUNDED_ONCE = (index, exact) -> Math.ulp((float) exact) / 2.0;

    /** {@return how far the element at this index may lie from its exact value} */
    double allowed(int index, double exact);

    /** {@return a type's unit roundoff: half the distance from 1 to the next number} */
    static double unit(DType dtype) {
        return dtype == DType.BF16 ? 0x1p-8 : UNIT;
    }

    /** {@return this, and a rounding to the type that results are stored as} */
    default Tolerance storedAs(DType dtype) {
        // Half the least number, below which its roundings are absolute.
        return dtype != DType.BF16
                ? this
                : (index, exact) -> {
                    double before = allowed(index, exact);
                    return before + unit(dtype) * (Math.abs(exact) + before) + 0x1p-134;
                };
    }

    /**
     * {@return the relative error that n roundings in a row can build up: n u / (1 - n u)}
     *
     * @see #UNIT
     */
    static double roundings(int n) {
        return n * UNIT / (1 - n * UNIT);
    }

    /** {@return an exp's relative error at this argument} */
    static double exp(double x) {
        return (4 + 2 * Math.abs(x)) * UNIT;
    }

    /** {@return how far a function's result at x may lie from the exact {@code y}} */
    static double function(Activation function, double x, double y) {
        double magnitude = Math.abs(x);
        return switch (function) {
            case IDENTITY, RELU -> 0;
            // The argument, off by 2 roundings, moves erf by at most 2 * 0.49; erf errs by 4, the
            // sum 1 + erf by 1: 6 times |x| / 2, and 2 roundings of products. From |x| = 6 on erf
            // rounds to 1 and nothing grows any more.
            case GELU -> UNIT * (3 * Math.min(magnitude, 6) + 2 * Math.abs(y)) + TINY;
            // Likewise with an argument off by 6 roundings that move tanh by at most 0.45 each.
            case GELU_TANH -> UNIT * (5 * Math.min(magnitude, 6) + 2 * Math.abs(y)) + TINY;
            // The exponential counts as far as it outweighs the 1 it is added to; then an addition
            // and a division. Where it overflows the result is 0 instead of |x| exp(-|x|).
            case SILU ->
                    (exp(x) / (1 + Math.exp(x)) + 2 * UNIT) * Math.abs(y) + (1 + magnitude) * TINY;
            case TANH -> 6 * UNIT;
        };
    }

    /** {@return by how much a function can enlarge a small error of its argument} */
    static double slope(Activation function) {
        return switch (function) {
            case IDENTITY, RELU, TANH -> 1;
            case GELU, GELU_TANH, SILU -> 1.13;
        };
    }

    /** Fails unless every element lies where it may. */
    static void assertWithin(Tolerance tolerance, double[] exact, double[] actual, String what) {
        assertEquals(exact.length, actual.length, () -> what + ": elements");
        for (int i = 0; i < exact.length; i++) {
            double allowed = tolerance.allowed(i, exact[i]);
            int index = i;
            assertTrue(
                    exact[i] == actual[i] || Math.abs(actual[i] - exact[i]) <= allowed,
                    () ->
                            "%s: element %d is %s, exactly %s, may differ by %s"
                                    .formatted(what, index, actual[index], exact[index], allowed));
        }
    }

    /**
     * {@return the measure for whole models, whose worst case says nothing: the largest difference,
     * in units of the exact values' root mean square}
     */
    static double relativeToRms(double[] exact, double[] actual) {
        assertEquals(exact.length, actual.length, "elements");
        double squares = 0;
        double largest = 0;
        for (int i = 0; i < exact.length; i++) {
            squares += exact[i] * exact[i];
            double difference = Math.abs(actual[i] - exact[i]);
            largest = Math.max(largest, difference); // a NaN stays one
        }
        return largest / Math.sqrt(squares / exact.length);
    }
}

package io.cyclane.tensor.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds {@link Erf} to erfc worked out to hundreds of digits. */
final class ErfTest {
    /**
     * The series' largest terms reach exp(27^2), 317 digits before the point, and erfc(27) has as
     * many zeros after it.
     */
    private static final MathContext MOST_DIGITS = new MathContext(700);

    private static final BigDecimal TWO_OVER_SQRT_PI =
            BigDecimal.TWO.divide(pi().sqrt(MOST_DIGITS), MOST_DIGITS);

    /** Machin, 1706: pi / 4 = 4 atan(1/5) - atan(1/239). */
    private static BigDecimal pi() {
        BigDecimal quarter =
                BigDecimal.valueOf(4)
                        .multiply(inverseTangentOfInverse(5))
                        .subtract(inverseTangentOfInverse(239));
        return quarter.multiply(BigDecimal.valueOf(4));
    }

    private static BigDecimal inverseTangentOfInverse(int n) {
        MathContext digits = new MathContext(MOST_DIGITS.getPrecision() + 10);
        BigDecimal least = BigDecimal.ONE.movePointLeft(digits.getPrecision());
        BigDecimal power = BigDecimal.ONE.divide(BigDecimal.valueOf(n), digits);
        BigDecimal sum = BigDecimal.ZERO;
        for (int k = 0; power.compareTo(least) > 0; k++) {
            BigDecimal term = power.divide(BigDecimal.valueOf(2L * k + 1), digits);
            sum = k % 2 == 0 ? sum.add(term) : sum.subtract(term);
            power = power.divide(BigDecimal.valueOf((long) n * n), digits);
        }
        return sum;
    }

    /** {@code 1 - 2 / sqrt(pi) * sum over n of (-1)^n x^(2 n + 1) / (n! (2 n + 1))}. */
    private static BigDecimal exact(double x) {
        int zeros = (int) (x * x / Math.log(10)) + 2;
        MathContext digits = new MathContext(2 * zeros + 50);
        BigDecimal argument = new BigDecimal(x);
        BigDecimal square = argument.multiply(argument).negate();
        BigDecimal least = BigDecimal.ONE.movePointLeft(zeros + 40);
        BigDecimal term = argument;
        BigDecimal sum = BigDecimal.ZERO;
        for (int n = 0; term.abs().compareTo(least) > 0; n++) {
            sum = sum.add(term.divide(BigDecimal.valueOf(2L * n + 1), digits), digits);
            term = term.multiply(square, digits).divide(BigDecimal.valueOf(n + 1L), digits);
        }
        return BigDecimal.ONE.subtract(TWO_OVER_SQRT_PI.multiply(sum, digits), digits);
    }

    static DoubleStream arguments() {
        return DoubleStream.concat(
                DoubleStream.iterate(-7.0, x -> x < 26.4, x -> x + 0.7717),
                DoubleStream.of(
                        -27,
                        -0.25,
                        -0.2499999,
                        -1e-300,
                        0.1,
                        0.2499999,
                        0.25,
                        0.250001,
                        0.3,
                        0.47,
                        0.5,
                        0.77,
                        1,
                        7.1807,
                        7.1808,
                        7.1,
                        7.25,
                        10,
                        20.5,
                        26.5,
                        26.54));
    }

    /**
     * Below 26.54 erfc is a normal number. What is asked for is 4 units in the last place; the
     * worst of 20,000 random arguments was 3.5, and nine in ten were within 1.
     */
    @ParameterizedTest
    @MethodSource("arguments")
    void isWithinFourUnitsInTheLastPlace(double x) {
        BigDecimal exact = exact(x);
        BigDecimal error = new BigDecimal(Erf.complement(x)).subtract(exact).abs();
        double units = error.doubleValue() / Math.ulp(exact.doubleValue());
        assertTrue(units <= 4, () -> "erfc(" + x + ") is off by " + units + " ulp");
    }

    @Test
    void isWithinFourUnitsAtRandomArguments() {
        new SplittableRandom(1).doubles(300, -6, 6).forEach(this::isWithinFourUnitsInTheLastPlace);
    }

    @Test
    @Tag("long")
    void isWithinFourUnitsAtManyRandomArguments() {
        new SplittableRandom(2)
                .doubles(2_000, -6, 26.5)
                .forEach(this::isWithinFourUnitsInTheLastPlace);
    }

    @Test
    void knowsItsEnds() {
        assertEquals(1, Erf.complement(0));
        assertEquals(2, Erf.complement(-30));
        assertEquals(2, Erf.complement(Double.NEGATIVE_INFINITY));
        assertEquals(0, Erf.complement(Double.POSITIVE_INFINITY));
        assertEquals(0, Erf.complement(1e300));
        assertTrue(Double.isNaN(Erf.complement(Double.NaN)));
    }

    /** Between 26.54 and 27.23 results are subnormal and have an absolute error instead. */
    @Test
    void fadesOutThroughTheSubnormals() {
        for (double x = 26.54; x < 27.5; x += 0.1931) {
            double exact = exact(x).doubleValue();
            assertEquals(exact, Erf.complement(x), 2 * Double.MIN_VALUE, "erfc(" + x + ")");
        }
    }

    /** The 15 digits of the tables: M. Abramowitz and I. Stegun, table 7.1, and erfc(5). */
    @Test
    void agreesWithTables() {
        assertEquals(0.157299207050285, Erf.complement(1), 1e-15);
        assertEquals(0.479500122186953, Erf.complement(0.5), 1e-15);
        assertEquals(1.53745979442803e-12, Erf.complement(5), 1e-26);
    }
}

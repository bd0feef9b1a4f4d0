package io.cyclane.tensor.reference;

/**
 * The complementary error function in double.
 *
 * <p>Near zero it is 1 less the Maclaurin series of erf. Elsewhere it is the trapezoidal rule on
 * {@code erfc(x) = (2 x / pi) exp(-x^2) * integral from 0 to infinity of exp(-t^2) / (t^2 + x^2)
 * dt} with the residue at the pole {@code t = ix} taken off: D. B. Hunter and T. Regan, "A note on
 * the evaluation of the complementary error function", Mathematics of Computation 26 (1972), pages
 * 539-541. The rule's own error falls as {@code exp(-(pi / h)^2)}: 4e-23 for the step used here.
 * All terms of the sum are positive, so the relative error stays within a few units in the last
 * place to where the result underflows.
 */
final class Erf {
    /** The step h; exact, and so are the squares of its multiples. */
    private static final double STEP = 7.0 / 16;

    private static final int NODES = 14;

    /** {@code (n h)^2}, n from 1. */
    private static final double[] SQUARES = new double[NODES];

    /** {@code exp(-(n h)^2)}, n from 1. The next one is below 1e-18. */
    private static final double[] WEIGHTS = new double[NODES];

    /** {@code h / pi}, and what is missing of it: {@code Math.PI} falls short by 1.2246e-16. */
    private static final double STEP_OVER_PI = STEP / Math.PI;

    private static final double STEP_OVER_PI_REST =
            (Math.fma(-STEP_OVER_PI, Math.PI, STEP) - STEP_OVER_PI * 1.2246467991473532e-16)
                    / Math.PI;

    /** From here on the pole lies outside the strip that the rule is exact in. */
    private static final double POLE_OUTSIDE = Math.PI / STEP;

    private static final double SERIES_BELOW = 0.25;
    private static final double TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

    /** {@code (-1)^n / (n! (2 n + 1))}: the next one, times 0.25^20, is below 1e-19. */
    private static final double[] SERIES = new double[10];

    /** erfc(28) is below the smallest double. */
    private static final double ZERO_FROM = 28;

    static {
        for (int n = 1; n <= NODES; n++) {
            SQUARES[n - 1] = n * STEP * n * STEP;
            WEIGHTS[n - 1] = Math.exp(-SQUARES[n - 1]);
        }
        double factorial = 1;
        for (int n = 0; n < SERIES.length; n++) {
            SERIES[n] = (n % 2 == 0 ? 1 : -1) / (factorial * (2 * n + 1));
            factorial *= n + 1;
        }
    }

    private Erf() {}

    /** {@return {@code 1 - erf(x)}, without the loss of digits that the difference would have} */
    static double complement(double x) {
        if (Math.abs(x) < SERIES_BELOW) {
            return 1 - nearZero(x);
        }
        return x < 0 ? 2 - tail(-x) : tail(x);
    }

    private static double nearZero(double x) {
        double square = x * x;
        double sum = 0;
        for (int n = SERIES.length - 1; n >= 0; n--) {
            sum = sum * square + SERIES[n];
        }
        return TWO_OVER_SQRT_PI * x * sum;
    }

    private static double tail(double x) {
        if (x >= ZERO_FROM) {
            return 0;
        }
        double square = x * x;
        // What the rounding of the square lost: exp would magnify it by up to 784.
        double lost = Math.fma(x, x, -square);
        double sum = 0;
        for (int n = NODES - 1; n >= 0; n--) {
            sum += WEIGHTS[n] / (SQUARES[n] + square);
        }
        double exponential = Math.exp(-square);
        exponential = Math.fma(-exponential, lost, exponential);
        double terms = Math.fma(2 * x, sum, 1 / x);
        double rule = exponential * Math.fma(terms, STEP_OVER_PI, terms * STEP_OVER_PI_REST);
        return x < POLE_OUTSIDE ? rule - 2 / Math.expm1(2 * POLE_OUTSIDE * x) : rule;
    }
}

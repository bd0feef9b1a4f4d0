package io.cyclane.cpu.math;

/** The functions in double, good to about 1e-14 of the result. */
public final class Exact {
    private Exact() {}

    /** {@return the chance that a normal variable exceeds t}, with its relative accuracy kept. */
    static double upper(double t) {
        if (t < 0) {
            return 1 - upper(-t);
        }
        double density = StrictMath.exp(-0.5 * t * t) / Math.sqrt(2 * Math.PI);
        if (t < 2.5) {
            return 0.5 - density * series(t);
        }
        // Laplace's continued fraction t + 1/(t + 2/(t + 3/(t + ..))).
        double fraction = t;
        for (int n = 150; n > 0; n--) {
            fraction = t + n / fraction;
        }
        return density / fraction;
    }

    private static double series(double t) {
        double term = t;
        double sum = t;
        for (int n = 1; term > 1e-18 * sum; n++) {
            term *= t * t / (2 * n + 1);
            sum += term;
        }
        return sum;
    }

    static double erf(double x) {
        if (Math.abs(x) > 1.7) {
            return Math.signum(x) * (1 - 2 * upper(Math.abs(x) * Math.sqrt(2)));
        }
        double t = Math.abs(x) * Math.sqrt(2);
        double density = StrictMath.exp(-x * x) / Math.sqrt(2 * Math.PI);
        return Math.copySign(2 * density * (t == 0 ? 0 : series(t)), x);
    }

    /** {@return x times the normal distribution function of x}. */
    public static double gelu(double x) {
        return x < -40 ? -0.0 : x * upper(-x);
    }

    /** {@return the tanh form of GELU}. */
    public static double geluTanh(double x) {
        return gated(x, 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
    }

    /** {@return x / (1 + e^-x)}. */
    public static double silu(double x) {
        return gated(x, x);
    }

    private static double gated(double x, double w) {
        if (w < -700) {
            return -0.0;
        }
        double e = StrictMath.exp(-Math.abs(w));
        return (x < 0 ? x * e : x) / (1 + e);
    }
}

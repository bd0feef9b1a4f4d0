package io.cyclane.cpu.math;

/**
 * The functions of {@link VectorMath} for one float, with the same bits.
 *
 * <p>Both do the same operations in the same order, each rounded once (a product that is summed is
 * a fused multiply-add in both), so a kernel may take either. This one needs no compiled vector
 * code.
 *
 * <p>The polynomials are minimax fits by linear programming over Chebyshev points in 40 digits, the
 * coefficients rounded to float one after another and the rest fitted anew. The maximum errors of
 * the fits stand beside them.
 */
public final class ScalarMath {
    static final float LOG2_E = 0x1.715476p+0f;
    static final float LN2_HIGH = 0x1.62e430p-1f;
    static final float LN2_LOW = -0x1.05c610p-29f;

    /**
     * 1.5 * 2^23: adding it to a number below 2^22 leaves the nearest integer in the low bits of
     * the sum.
     */
    static final float ROUNDER = 0x1.8p+23f;

    static final int ROUNDER_BITS = 0x4b400000;

    /** Above it, exp is infinite; below the other, zero. */
    static final float EXP_HIGHEST = 89f;

    static final float EXP_LOWEST = -104f;

    // (exp(r) - 1 - r) / r^2 on [-0.3466, 0.3466], 2^-28.3 of exp(r).
    static final float EXP_2 = 0x1.fffffcp-2f;
    static final float EXP_3 = 0x1.555492p-3f;
    static final float EXP_4 = 0x1.5558aap-5f;
    static final float EXP_5 = 0x1.12396cp-7f;
    static final float EXP_6 = 0x1.6a5236p-10f;

    // (2^r - 1) / 2r on [-0.5, 0.5], 2^-28.3 of 2^r.
    static final float EXP2_1 = 0x1.62e430p-2f;
    static final float EXP2_2 = 0x1.ebfbdcp-4f;
    static final float EXP2_3 = 0x1.c6af7ap-6f;
    static final float EXP2_4 = 0x1.3b2dd8p-8f;
    static final float EXP2_5 = 0x1.5f096ep-11f;
    static final float EXP2_6 = 0x1.417460p-14f;

    // (tanh(x) - x) / x^3 in powers of x^2, |x| <= 0.625, 2^-27.7 of tanh(x).
    static final float TANH_SMALL = 0.625f;
    static final float TANH_ONE = 10f;
    static final float TANH_0 = -0x1.555532p-2f;
    static final float TANH_1 = 0x1.1106f6p-3f;
    static final float TANH_2 = -0x1.b835a4p-5f;
    static final float TANH_3 = 0x1.51f8d0p-6f;
    static final float TANH_4 = -0x1.750d02p-8f;

    // (erf(x) - x) / x in powers of x^2, |x| <= 1, 2^-29.4 of erf(x).
    static final float ERF_ONE = 4f;
    static final float ERF_0 = 0x1.06eba8p-3f;
    static final float ERF_1 = -0x1.81273ep-2f;
    static final float ERF_2 = 0x1.ce2ce6p-4f;
    static final float ERF_3 = -0x1.b7f71ap-6f;
    static final float ERF_4 = 0x1.53f224p-8f;
    static final float ERF_5 = -0x1.a3515ep-11f;
    static final float ERF_6 = 0x1.4771fcp-14f;

    // (t + 1.5) Q(t) exp(t^2 / 2) in powers of (t - 1.5) / (t + 1.5), where Q(t) is the chance that
    // a normal variable exceeds t, 0 <= t <= 15, 2^-26.5 of it.
    static final float TAIL_MIDDLE = 1.5f;
    static final float TAIL_0 = 0x1.3c1440p-1f;
    static final float TAIL_1 = -0x1.8f9054p-3f;
    static final float TAIL_2 = -0x1.d700b0p-5f;
    static final float TAIL_3 = 0x1.253888p-6f;
    static final float TAIL_4 = 0x1.2106f4p-6f;
    static final float TAIL_5 = 0x1.055416p-8f;
    static final float TAIL_6 = -0x1.3f6df2p-9f;
    static final float TAIL_7 = -0x1.635670p-9f;
    static final float TAIL_8 = -0x1.0f9376p-10f;
    static final float TAIL_9 = 0x1.09c58ep-12f;
    static final float TAIL_10 = 0x1.e44650p-12f;
    static final float TAIL_11 = 0x1.383cb6p-13f;

    static final float SQRT_2 = 0x1.6a09e6p+0f;

    /** From here on, Q(t) is below the least float. */
    static final float GELU_LOWEST = 15f;

    /** From here on, the logistic function of -t times t is below the least float. */
    static final float GATE_LOWEST = 120f;

    /** Twice sqrt(2 / pi), and that times 0.044715. */
    static final float GELU_TANH_1 = 0x1.988454p+0f;

    static final float GELU_TANH_3 = 0x1.2444f2p-4f;

    /** Below it {@link #exp2Flushed} is zero. */
    static final float EXP2_LOWEST = -126f;

    /** {@link #ROUNDER}, with 128 in the low bits of its sums for an exponent of 0. */
    static final float EXP2_ROUNDER = ROUNDER + 128;

    /** The exponent whose power is 0 there. */
    static final float EXP2_ZERO = -128f;

    private ScalarMath() {}

    /** {@return e^x}; see {@link VectorMath#exp} for the error. */
    public static float exp(float x) {
        float low = x < EXP_LOWEST ? EXP_LOWEST : x;
        float a = low > EXP_HIGHEST ? EXP_HIGHEST : low;
        float rounded = Math.fma(a, LOG2_E, ROUNDER);
        float fraction = expOf(remainder(a, rounded));
        int exponent = Float.floatToRawIntBits(rounded) - ROUNDER_BITS;
        int half = exponent >> 1;
        return (fraction * power(half)) * power(exponent - half);
    }

    /** {@return 2^x for x at most 0}, with 0 for results below 2^-126. */
    public static float exp2Flushed(float x) {
        float a = x < EXP2_LOWEST ? EXP2_ZERO : x;
        float rounded = a + EXP2_ROUNDER;
        float r = a - (rounded - EXP2_ROUNDER);
        float p = Math.fma(EXP2_6, r, EXP2_5);
        p = Math.fma(p, r, EXP2_4);
        p = Math.fma(p, r, EXP2_3);
        p = Math.fma(p, r, EXP2_2);
        p = Math.fma(p, r, EXP2_1);
        p = Math.fma(p, r, 0.5f);
        return p * Float.intBitsToFloat(Float.floatToRawIntBits(rounded) << 23);
    }

    /** {@return the error function of x}; see {@link VectorMath#erf}. */
    public static float erf(float x) {
        float s = x * x;
        float p = Math.fma(ERF_6, s, ERF_5);
        p = Math.fma(p, s, ERF_4);
        p = Math.fma(p, s, ERF_3);
        p = Math.fma(p, s, ERF_2);
        p = Math.fma(p, s, ERF_1);
        p = Math.fma(p, s, ERF_0);
        float near = Math.fma(p, x, x);

        float size = Math.abs(x);
        float t = size > ERF_ONE ? ERF_ONE : size;
        float a = -(t * t);
        float rounded = Math.fma(a, LOG2_E, ROUNDER);
        float fraction = expOf(remainder(a, rounded));
        int exponent = Float.floatToRawIntBits(rounded) - ROUNDER_BITS;
        float tail = fraction * power(exponent) * tail(t * SQRT_2);
        float far = withSign(Math.fma(-2f, tail, 1f), x);
        return size < 1f ? near : far;
    }

    /** {@return the hyperbolic tangent of x}; see {@link VectorMath#tanh}. */
    public static float tanh(float x) {
        float size = Math.abs(x);
        float s = size * size;
        float p = Math.fma(TANH_4, s, TANH_3);
        p = Math.fma(p, s, TANH_2);
        p = Math.fma(p, s, TANH_1);
        p = Math.fma(p, s, TANH_0);
        float near = Math.fma(p * s, size, size);

        float t = size > TANH_ONE ? TANH_ONE : size;
        float a = t + t;
        float rounded = Math.fma(a, LOG2_E, ROUNDER);
        float fraction = expOf(remainder(a, rounded));
        int exponent = Float.floatToRawIntBits(rounded) - ROUNDER_BITS;
        float e = fraction * power(exponent);
        float far = 1f - 2f / (e + 1f);
        return withSign(size < TANH_SMALL ? near : far, x);
    }

    /** {@return x times the normal distribution function of x}; see {@link VectorMath#gelu}. */
    public static float gelu(float x) {
        float size = Math.abs(x);
        float t = size > GELU_LOWEST ? GELU_LOWEST : size;
        float s = t * t;
        float lost = Math.fma(t, t, -s);
        float a = s * -0.5f;
        float rounded = Math.fma(a, LOG2_E, ROUNDER);
        float fraction = expOf(Math.fma(lost, -0.5f, remainder(a, rounded)));
        int exponent = Float.floatToRawIntBits(rounded) - ROUNDER_BITS;
        int half = exponent >> 1;
        float below = ((fraction * power(half)) * (tail(t) * t)) * power(exponent - half);
        return (x < 0f ? -0f : x) - below;
    }

    /** {@return the tanh form of GELU}; see {@link VectorMath#geluTanh}. */
    public static float geluTanh(float x) {
        return gated(x, x * Math.fma(x * x, GELU_TANH_3, GELU_TANH_1));
    }

    /** {@return x / (1 + e^-x)}; see {@link VectorMath#silu}. */
    public static float silu(float x) {
        return gated(x, x);
    }

    /** {@return the square root of x}, correctly rounded. */
    public static float sqrt(float x) {
        return (float) Math.sqrt(x);
    }

    /** {@return 1 / sqrt(x)}; see {@link VectorMath#rsqrt}. */
    public static float rsqrt(float x) {
        return 1f / (float) Math.sqrt(x);
    }

    private static float gated(float x, float w) {
        float size = Math.abs(w);
        float a = -(size > GATE_LOWEST ? GATE_LOWEST : size);
        float rounded = Math.fma(a, LOG2_E, ROUNDER);
        float fraction = expOf(remainder(a, rounded));
        int exponent = Float.floatToRawIntBits(rounded) - ROUNDER_BITS;
        int half = exponent >> 1;
        float started = fraction * power(half);
        float rest = power(exponent - half);
        float kept = x < -GATE_LOWEST ? -GATE_LOWEST : x;
        float above = x < 0f ? (started * kept) * rest : x;
        return above / Math.fma(started, rest, 1f);
    }

    private static float tail(float t) {
        float u = 1f / (t + TAIL_MIDDLE);
        float v = Math.fma(u, -2f * TAIL_MIDDLE, 1f);
        float w = v * v;
        float odd = Math.fma(TAIL_11, w, TAIL_9);
        odd = Math.fma(odd, w, TAIL_7);
        odd = Math.fma(odd, w, TAIL_5);
        odd = Math.fma(odd, w, TAIL_3);
        odd = Math.fma(odd, w, TAIL_1);
        float even = Math.fma(TAIL_10, w, TAIL_8);
        even = Math.fma(even, w, TAIL_6);
        even = Math.fma(even, w, TAIL_4);
        even = Math.fma(even, w, TAIL_2);
        even = Math.fma(even, w, TAIL_0);
        return Math.fma(odd, v, even) * u;
    }

    private static float remainder(float a, float rounded) {
        float n = rounded - ROUNDER;
        return Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, a));
    }

    private static float expOf(float r) {
        float p = Math.fma(EXP_6, r, EXP_5);
        p = Math.fma(p, r, EXP_4);
        p = Math.fma(p, r, EXP_3);
        p = Math.fma(p, r, EXP_2);
        return 1f + Math.fma(p, r * r, r);
    }

    private static float power(int exponent) {
        return Float.intBitsToFloat((exponent + 127) << 23);
    }

    private static float withSign(float size, float sign) {
        return Float.intBitsToFloat(
                Float.floatToRawIntBits(size)
                        | (Float.floatToRawIntBits(sign) & Integer.MIN_VALUE));
    }
}

package io.cyclane.tensor;

/** Numbers of {@link DType#BF16}, as the bits they are stored in. */
public final class Bf16 {
    private static final short NOT_A_NUMBER = 0x7FFF;

    private Bf16() {}

    /** {@return the nearest number, ties to even; beyond the largest it is infinite} */
    public static short rounded(float x) {
        int bits = Float.floatToRawIntBits(x);
        return Float.isNaN(x) ? NOT_A_NUMBER : (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /** {@return the nearest number, ties to even: one rounding, not one to F32 and another} */
    public static short rounded(double x) {
        float near = (float) x;
        if (near != x && (Float.floatToRawIntBits(near) & 1) == 0 && Float.isFinite(near)) {
            // Rounded to odd instead, F32 still tells on which side of a tie x lies.
            near = near < x ? Math.nextUp(near) : Math.nextDown(near);
        }
        return rounded(near);
    }

    /** {@return the number that these bits stand for} */
    public static float widened(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}

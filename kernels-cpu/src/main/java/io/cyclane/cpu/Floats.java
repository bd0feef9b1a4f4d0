package io.cyclane.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Memory to arrays and back, for scalar twins: code that is not compiled yet takes some hundred
 * nanoseconds to reach one element of a segment, and one or two for one of an array.
 */
public final class Floats {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private Floats() {}

    /** {@return {@code n} F32 from {@code at} bytes on} */
    public static float[] read(MemorySegment from, long at, int n) {
        float[] values = new float[n];
        read(from, at, values, 0, n);
        return values;
    }

    /** Reads {@code n} F32 from {@code at} bytes on into the array from {@code first} on. */
    public static void read(MemorySegment from, long at, float[] to, int first, int n) {
        MemorySegment.copy(from, FLOAT, at, to, first, n);
    }

    /** Writes {@code n} elements from {@code first} on to {@code at} bytes and on. */
    public static void write(float[] from, int first, int n, MemorySegment to, long at) {
        MemorySegment.copy(from, first, to, FLOAT, at, n);
    }
}

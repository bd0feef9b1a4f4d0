package io.cyclane.cpu;

import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;

/**
 * Memory to arrays and back, for scalar twins: code that is not compiled yet takes some hundred
 * nanoseconds to reach one element of a segment, and one or two for one of an array.
 */
public final class Floats {

    /** Arrays of each thread, by what they hold. */
    private static final ThreadLocal<float[][]> OWN =
            ThreadLocal.withInitial(() -> new float[Use.values().length][0]);

    private Floats() {}

    /**
     * What a large array is for while a piece of work lasts. Twins read weights by the megabyte
     * until the vectors take over: with an array for each piece the heap would grow by hundreds of
     * megabytes for ever.
     */
    public enum Use {
        /** A panel of a weight. */
        PANEL,
        /** A panel of what is added to it. */
        UPDATE,
        /** Rows of the left side. */
        LEFT,
        /** Rows of a first layer's results. */
        HIDDEN
    }

    /**
     * {@return an array of {@code n} F32 or more from {@code at} bytes on, the same one for each
     * call of this thread for this use}
     */
    public static float[] read(Use use, MemorySegment from, long at, int n) {
        float[] values = array(use, n);
        read(from, at, values, 0, n);
        return values;
    }

    /** {@return the array of this thread for this use, of {@code n} elements or more} */
    public static float[] array(Use use, int n) {
        float[][] own = OWN.get();
        if (own[use.ordinal()].length < n) {
            own[use.ordinal()] = new float[n];
        }
        return own[use.ordinal()];
    }

    /** {@return {@code n} F32 from {@code at} bytes on} */
    public static float[] read(MemorySegment from, long at, int n) {
        float[] values = new float[n];
        read(from, at, values, 0, n);
        return values;
    }

    /** Reads {@code n} F32 from {@code at} bytes on into the array from {@code first} on. */
    public static void read(MemorySegment from, long at, float[] to, int first, int n) {
        Window.copy(from, at, to, first, n);
    }

    /** Writes {@code n} elements from {@code first} on to {@code at} bytes and on. */
    public static void write(float[] from, int first, int n, MemorySegment to, long at) {
        Window.copy(from, first, to, at, n);
    }
}

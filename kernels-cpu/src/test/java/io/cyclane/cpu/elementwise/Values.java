package io.cyclane.cpu.elementwise;

import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** What the tests of kernels share: values in native memory, sizes that hurt, random numbers. */
public final class Values {
    /** The unit roundoff of F32. */
    public static final double U = 0x1p-24;

    private static final int L = Lanes.F32.length();

    private Values() {}

    /** {@return widths at which loops and remainders meet}. */
    public static int[] hostileWidths() {
        return new int[] {1, L - 1, L, L + 1, 4 * L, 4 * L + 1, 207, 384, 768, 1152};
    }

    /** {@return pools of 1, 2 and 3 threads}. */
    public static Workers[] pools() {
        return new Workers[] {Workers.shared(1), Workers.shared(2), Workers.shared(3)};
    }

    /** {@return n floats of NaN}, as an arena before its first use may hold. */
    public static Place empty(long n) {
        MemorySegment memory = Arena.ofAuto().allocate(4 * n + 64, 64);
        for (long i = 0; i < n + 16; i++) {
            memory.set(ValueLayout.JAVA_FLOAT, 4 * i, Float.NaN);
        }
        return new Place(memory, 0);
    }

    /** {@return these floats}, in native memory. */
    public static Place of(float... values) {
        Place place = empty(values.length);
        MemorySegment.copy(values, 0, place.segment(), ValueLayout.JAVA_FLOAT, 0, values.length);
        return place;
    }

    /** {@return these ints}, in native memory. */
    public static Place ofInts(int... values) {
        Place place = empty(values.length);
        MemorySegment.copy(values, 0, place.segment(), ValueLayout.JAVA_INT, 0, values.length);
        return place;
    }

    /** {@return the first n floats of a place}. */
    public static float[] read(Place place, int n) {
        float[] values = new float[n];
        MemorySegment.copy(place.segment(), ValueLayout.JAVA_FLOAT, place.offset(), values, 0, n);
        return values;
    }

    /** {@return n numbers between -size and size}. */
    public static float[] random(int n, float size, long seed) {
        Random random = new Random(seed);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = size * (2 * random.nextFloat() - 1);
        }
        return values;
    }
}

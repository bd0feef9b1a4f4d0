package io.cyclane.tensor.backend;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How many rows an extent has in the current run: a constant, or an I32 in memory that the caller
 * or an earlier kernel has written. A kernel asks once at the start of every run.
 */
public final class Count {
    private final MemorySegment memory;
    private final long offset;

    private Count(MemorySegment memory, long offset) {
        this.memory = memory;
        this.offset = offset;
    }

    /** {@return the count that is always n} */
    public static Count fixed(int n) {
        return new Count(MemorySegment.ofArray(new int[] {n}), 0);
    }

    /** {@return the count kept at {@code offset} bytes into {@code memory}} */
    public static Count at(MemorySegment memory, long offset) {
        return new Count(memory, offset);
    }

    /** {@return the count in the current run} */
    public int value() {
        return memory.get(ValueLayout.JAVA_INT_UNALIGNED, offset);
    }
}

package io.cyclane.tensor.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How many rows a value has in the current run: a constant, or worked out from an I32 in memory
 * that the caller or an earlier kernel has written. A kernel asks once at the start of every run.
 */
public final class Count {
    private final MemorySegment memory;
    private final long offset;
    private final int factor;
    private final int more;

    private Count(MemorySegment memory, long offset, int factor, int more) {
        this.memory = memory;
        this.offset = offset;
        this.factor = factor;
        this.more = more;
    }

    /** {@return the count that is always n} */
    public static Count fixed(int n) {
        return at(MemorySegment.ofArray(new int[] {n}), 0);
    }

    /** {@return the count kept at {@code offset} bytes into {@code memory}} */
    public static Count at(MemorySegment memory, long offset) {
        return new Count(memory, offset, 1, 0);
    }

    /** {@return the count of the borders between these elements: one more} */
    public Count borders() {
        return new Count(memory, offset, factor, Math.addExact(more, 1));
    }

    /** {@return the count of rows where each of these elements has {@code n}} */
    public Count times(int n) {
        return new Count(
                memory, offset, Math.multiplyExact(factor, n), Math.multiplyExact(more, n));
    }

    /** {@return the count in the current run} */
    public int value() {
        return memory.get(ValueLayout.JAVA_INT_UNALIGNED, offset) * factor + more;
    }
}

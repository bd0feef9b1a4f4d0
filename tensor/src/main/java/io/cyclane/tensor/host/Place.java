package io.cyclane.tensor.host;

import java.lang.foreign.MemorySegment;

/**
 * Where a value of a bound program lies in host memory: a segment and an offset in bytes.
 *
 * <p>Most places never move. The row of a round (of stacked parameters, of collected values) moves
 * by one stride from round to round, so a kernel asks for {@link #offset()} once at the start of
 * every run and never keeps it.
 */
public final class Place {
    private final MemorySegment segment;
    private long offset;

    /** A place at {@code offset} bytes into {@code segment}. */
    public Place(MemorySegment segment, long offset) {
        this.segment = segment;
        this.offset = offset;
    }

    /** {@return the memory the value lies in} */
    public MemorySegment segment() {
        return segment;
    }

    /** {@return the value's first byte within {@link #segment()}, for the current round} */
    public long offset() {
        return offset;
    }

    /** Moves the place; only the walker of a bound program does, between rounds. */
    void moveTo(long newOffset) {
        offset = newOffset;
    }
}

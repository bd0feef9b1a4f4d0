package io.cyclane.cpu.norm;

import java.lang.foreign.MemorySegment;

/** A norm over each row, F32 and contiguous, wherever the rows lie; y may be x. */
public interface RowNorm {
    /** {@return the elements of a row} */
    int width();

    /** Norms {@code rows} rows from {@code x} into {@code y}. */
    void rows(MemorySegment x, long xAt, MemorySegment y, long yAt, int rows);

    /** Does what {@link #rows} does, bit for bit, without vectors. */
    void scalarRows(MemorySegment x, long xAt, MemorySegment y, long yAt, int rows);
}

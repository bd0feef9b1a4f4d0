package io.cyclane.tensor.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Memory for copies of one weight after the other: the same pages each time, which the system would
 * otherwise have to find and clear for each weight anew. It holds what the last one left. One
 * thread's.
 */
final class Scratch implements SegmentAllocator, AutoCloseable {
    private static final int ALIGNMENT_BYTES = 64;

    private Arena kept = Arena.ofConfined();
    private MemorySegment block = MemorySegment.NULL;
    private long used;

    /** What did not fit any more. */
    private Arena beyond = Arena.ofConfined();

    @Override
    public MemorySegment allocate(long bytes, long alignment) {
        long from = Math.ceilDiv(used, ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
        used = from + bytes;
        if (used > block.byteSize() || alignment > ALIGNMENT_BYTES) {
            return beyond.allocate(bytes, alignment);
        }
        return block.asSlice(from, bytes);
    }

    /** Takes back all that was handed out. */
    void clear() {
        beyond.close();
        beyond = Arena.ofConfined();
        if (used > block.byteSize()) {
            kept.close();
            kept = Arena.ofConfined();
            block = kept.allocate(used, ALIGNMENT_BYTES);
        }
        used = 0;
    }

    @Override
    public void close() {
        beyond.close();
        kept.close();
    }
}

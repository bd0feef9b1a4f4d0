package io.cyclane.cpu.embedding;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The place of every token inside its sequence: 0, 1, 2 and so on, from 0 again where the next
 * sequence starts.
 *
 * <p>offsets is I32 [S + 1], positions I32 [T]. One store a token: done by the caller alone.
 */
public final class PositionsKernel implements Kernel {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final Place offsets;
    private final Place positions;
    private final Count sequences;

    /** Binds the kernel. */
    public PositionsKernel(Place offsets, Place positions, Count sequences) {
        this.offsets = offsets;
        this.positions = positions;
        this.sequences = sequences;
    }

    @Override
    public void run() {
        MemorySegment from = offsets.segment();
        MemorySegment to = positions.segment();
        int count = sequences.value();
        for (int sequence = 0; sequence < count; sequence++) {
            int first = from.get(INT, offsets.offset() + 4L * sequence);
            int end = from.get(INT, offsets.offset() + 4L * sequence + 4);
            for (int token = first; token < end; token++) {
                to.set(INT, positions.offset() + 4L * token, token - first);
            }
        }
    }
}

package io.cyclane.cpu.embedding;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The place of every token inside its sequence: {@code first} and on by ones, from {@code first}
 * again where the next sequence starts.
 *
 * <p>offsets is I32 [S + 1], positions I32 [T]. One store a token: done by the caller alone.
 */
public final class PositionsKernel implements Kernel {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final Place offsets;
    private final Place positions;
    private final Count sequences;
    private final int first;

    /** Binds the kernel. */
    public PositionsKernel(Place offsets, Place positions, Count sequences, int first) {
        this.offsets = offsets;
        this.positions = positions;
        this.sequences = sequences;
        this.first = first;
    }

    @Override
    public void run() {
        MemorySegment from = offsets.segment();
        MemorySegment to = positions.segment();
        int count = sequences.value();
        for (int sequence = 0; sequence < count; sequence++) {
            int start = from.get(INT, offsets.offset() + 4L * sequence);
            int end = from.get(INT, offsets.offset() + 4L * sequence + 4);
            for (int token = start; token < end; token++) {
                to.set(INT, positions.offset() + 4L * token, first + token - start);
            }
        }
    }
}

package io.cyclane.cpu.gemm;

import io.cyclane.cpu.norm.RowNorm;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The rows that a product reads: as they lie, or normed where they are copied for it, so that
 * normed rows never exist as a whole.
 *
 * @param x F32 {@code [rows, inputs]}
 * @param norm as wide as x, or null for none
 */
public record LeftRows(Place x, int inputs, @Nullable RowNorm norm) {
    private static final int LINE = 64;

    public LeftRows {
        if (norm != null && norm.width() != inputs) {
            throw new IllegalArgumentException(
                    "linear: %d inputs, but a norm of %d".formatted(inputs, norm.width()));
        }
    }

    /** {@return the scratch in bytes that {@link #pack} needs}, a multiple of 64 */
    public static long scratchBytes(int inputs, boolean normed) {
        return normed ? Math.ceilDiv(4L * inputs, LINE) * LINE : 0;
    }

    long scratchBytes() {
        return scratchBytes(inputs, norm != null);
    }

    /**
     * Copies rows {@code first} and on into a {@link LeftBlock}.
     *
     * @param rowAt {@link #scratchBytes} of scratch, in the block's segment
     */
    void pack(int first, int rows, MemorySegment block, long blockAt, long rowAt) {
        long from = at(first);
        if (norm == null) {
            LeftBlock.pack(x.segment(), from, rows, inputs, block, blockAt);
            return;
        }
        for (int row = 0; row < rows; row++) {
            norm.rows(x.segment(), from + 4L * row * inputs, block, rowAt, 1);
            LeftBlock.packRow(block, rowAt, inputs, block, blockAt, row, rows);
        }
        LeftBlock.clearSlack(block, blockAt, rows, inputs);
    }

    /** Writes rows {@code first} and on as the scalar twin reads them. */
    void scalarNorm(int first, int rows, Place normed) {
        norm.scalarRows(x.segment(), at(first), normed.segment(), normed.offset(), rows);
    }

    private long at(int row) {
        return x.offset() + 4L * row * inputs;
    }
}

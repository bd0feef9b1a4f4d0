package io.cyclane.cpu.gemm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A block of rows of the left side, copied so that the tiles find it at constant distances: {@code
 * [inputs / 384][rows + slack][400]} F32, of which the last 16 are never read and the slack rows
 * are zero.
 *
 * <p>With a constant distance between rows one register and constant displacements reach all rows
 * of a tile; with the caller's own distance ten addresses would compete for the sixteen registers.
 * 400 floats are an odd number of cache lines (25), so the rows of a tile spread over all sets of
 * the cache.
 */
final class LeftBlock {
    /** How many inputs a tile runs over at a time: 10 rows of them are 15 KB, a panel's 48 KB. */
    static final int CHUNK = 384;

    /** The distance between two rows. */
    static final long ROW_BYTES = (CHUNK + 16) * 4L;

    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private LeftBlock() {}

    /** {@return the bytes from one chunk of a block of so many rows to the next} */
    static long chunkBytes(int rows) {
        return (rows + Tiles.SLACK) * ROW_BYTES;
    }

    /** {@return the size in bytes of a block} */
    static long lengthBytes(int rows, int inputs) {
        return Math.ceilDiv(inputs, CHUNK) * chunkBytes(rows);
    }

    /** Copies {@code rows} rows of {@code inputs} F32 from {@code x} and clears the slack. */
    static void pack(
            MemorySegment x, long xAt, int rows, int inputs, MemorySegment block, long blockAt) {
        long to = blockAt;
        for (int k = 0; k < inputs; k += CHUNK) {
            long count = Math.min(CHUNK, inputs - k);
            for (int row = 0; row < rows; row++) {
                long from = xAt + 4L * ((long) row * inputs + k);
                MemorySegment.copy(x, from, block, to + row * ROW_BYTES, 4L * count);
            }
            for (int row = rows; row < rows + Tiles.SLACK; row++) {
                for (int i = 0; i < count; i++) {
                    block.set(FLOAT, to + row * ROW_BYTES + 4L * i, 0f);
                }
            }
            to += chunkBytes(rows);
        }
    }
}

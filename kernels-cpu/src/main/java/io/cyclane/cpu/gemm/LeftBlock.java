package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Floats;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A block of rows of the left side, laid out so that the tiles find it at constant distances:
 * {@code [inputs / 192][rows + slack][208]} F32, of which the last 16 are never read and the slack
 * rows are zero.
 *
 * <p>With a constant distance between rows one register and constant displacements reach all rows
 * of a tile; with the caller's own distance ten addresses would compete for the sixteen registers.
 * 208 floats are an odd number of cache lines (13), so the rows of a tile spread over all sets of
 * the cache.
 */
final class LeftBlock {
    /**
     * How many inputs a tile runs over at a time: a panel's 24 KB stay in the first-level cache
     * while the tiles, 8 KB each, pass by.
     */
    static final int CHUNK = 192;

    /**
     * The bytes of a row that are read; as many as a cache line has follow, for what must be
     * written somewhere (by {@link Tile4Few} and {@link Tiles#fetch}).
     */
    static final long UNREAD = CHUNK * 4L;

    /** The distance between two rows. */
    static final long ROW_BYTES = UNREAD + 64;

    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** For what is read to be near, whatever it is. */
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    /** Zeros, written at once: one by one, code that is not compiled takes milliseconds. */
    private static final float[] SLACK_ROWS = new float[(int) (Tiles.SLACK * ROW_BYTES / 4)];

    private LeftBlock() {}

    /** {@return the bytes from one chunk of a block of so many rows to the next} */
    static long chunkBytes(int rows) {
        return (rows + Tiles.SLACK) * ROW_BYTES;
    }

    /** {@return the size in bytes of a block} */
    static long lengthBytes(int rows, int inputs) {
        return Math.ceilDiv(inputs, CHUNK) * chunkBytes(rows);
    }

    /** {@return where a column of the first row lies in a block of so many rows} */
    static long columnAt(int column, int rows) {
        return column / CHUNK * chunkBytes(rows) + column % CHUNK * 4L;
    }

    /** Copies {@code rows} rows of {@code inputs} F32 from {@code x} and clears the slack. */
    static void pack(
            MemorySegment x, long xAt, int rows, int inputs, MemorySegment block, long blockAt) {
        long to = blockAt;
        for (int k = 0; k < inputs; k += CHUNK) {
            long count = Math.min(CHUNK, inputs - k);
            for (int row = 0; row < rows; row++) {
                long from = xAt + 4L * ((long) row * inputs + k);
                Window.copy(x, from, block, to + row * ROW_BYTES, 4L * count);
            }
            to += chunkBytes(rows);
        }
        clearSlack(block, blockAt, rows, inputs);
    }

    /** Copies one row of {@code inputs} F32 into its place in a block of so many rows. */
    static void packRow(
            MemorySegment x,
            long xAt,
            int inputs,
            MemorySegment block,
            long blockAt,
            int row,
            int rows) {
        for (int k = 0; k < inputs; k += CHUNK) {
            long to = blockAt + columnAt(k, rows) + row * ROW_BYTES;
            Window.copy(x, xAt + 4L * k, block, to, 4L * Math.min(CHUNK, inputs - k));
        }
    }

    /** Clears the rows that a tile may read beyond the last. */
    static void clearSlack(MemorySegment block, long blockAt, int rows, int inputs) {
        for (int k = 0; k < inputs; k += CHUNK) {
            long from = blockAt + columnAt(k, rows) + rows * ROW_BYTES;
            Floats.write(SLACK_ROWS, 0, SLACK_ROWS.length, block, from);
        }
    }
}

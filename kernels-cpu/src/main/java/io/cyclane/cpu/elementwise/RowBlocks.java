package io.cyclane.cpu.elementwise;

/**
 * How rows are dealt out to workers: in blocks whose size depends on the width of a row and on
 * nothing else.
 */
public final class RowBlocks {
    /**
     * Elements of a block: 32 KiB of floats, some microseconds of work, a hundred times what
     * claiming it costs.
     */
    private static final int ELEMENTS = 8192;

    private RowBlocks() {}

    /** {@return the rows in a block of rows this wide}, at least 1. */
    public static int rows(int width) {
        return Math.max(1, ELEMENTS / Math.max(1, width));
    }

    /** {@return how many blocks hold {@code count} rows}. */
    public static int blocks(int count, int rowsPerBlock) {
        return (int) (((long) count + rowsPerBlock - 1) / rowsPerBlock);
    }
}

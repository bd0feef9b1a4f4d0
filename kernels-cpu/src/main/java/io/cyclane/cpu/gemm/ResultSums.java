package io.cyclane.cpu.gemm;

import java.lang.foreign.MemorySegment;

/**
 * The sums of all results of a block of rows, to which the products of a chunk of hidden columns
 * are added as soon as it is there: one panel of {@link PanelProduct#sumsBytes} after the other.
 *
 * @param second the weight that the hidden columns are multiplied with
 */
record ResultSums(Panels second, Epilogue epilogue) {
    /** {@return the bytes that the sums of so many panels and rows take} */
    static long bytes(int panels, int rows) {
        return panels * PanelProduct.sumsBytes(rows);
    }

    /** {@return where the sums of a panel lie} */
    static long panelAt(long sumsAt, int panel, int rows) {
        return sumsAt + bytes(panel, rows);
    }

    /** Starts the sums of so many rows. */
    void start(MemorySegment scratch, long sumsAt, int rows) {
        for (int panel = 0; panel < second.count(); panel++) {
            long panelAt = panelAt(sumsAt, panel, rows);
            epilogue.start(scratch, panelAt, rows + Tiles.SLACK, panel);
        }
    }

    /**
     * Adds the products of a chunk of hidden columns.
     *
     * @param chunkAt where it lies, as a {@link LeftBlock}
     * @param k its first column
     */
    void addChunk(MemorySegment scratch, long chunkAt, long sumsAt, int rows, int k) {
        for (int panel = 0; panel < second.count(); panel++) {
            second.addChunkTo(scratch, chunkAt, panelAt(sumsAt, panel, rows), rows, panel, k);
        }
    }

    /** Turns the sums of a panel into rows {@code firstRow} and on of the result. */
    void finish(MemorySegment scratch, long sumsAt, int firstRow, int rows, int panel) {
        epilogue.finish(scratch, panelAt(sumsAt, panel, rows), firstRow, rows, panel);
    }
}

package io.cyclane.cpu.gemm;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

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

    /**
     * Adds the products of a chunk of hidden columns; those of the first start the sums.
     *
     * @param chunkAt where it lies, as a {@link LeftBlock}
     * @param startAt {@link Panels#START_BYTES} of scratch
     * @param k its first column
     * @param results gets the sums if the chunk is the last
     */
    void addChunk(
            MemorySegment scratch,
            long chunkAt,
            long startAt,
            long sumsAt,
            int rows,
            int k,
            @Nullable SumsSink results) {
        boolean last = k + LeftBlock.CHUNK >= second.inputs();
        for (int panel = 0; panel < second.count(); panel++) {
            long at = panelAt(sumsAt, panel, rows);
            if (k == 0) {
                epilogue.start(scratch, startAt, panel);
            }
            second.multiplyChunk(
                    scratch,
                    chunkAt,
                    k == 0 ? startAt : at,
                    at,
                    rows,
                    panel,
                    k,
                    panel + 1,
                    k,
                    last ? results : null);
        }
    }

    /** Turns the sums of a panel into rows {@code firstRow} and on of the result. */
    void finish(MemorySegment scratch, long sumsAt, int firstRow, int rows, int panel) {
        epilogue.finish(scratch, panelAt(sumsAt, panel, rows), firstRow, rows, panel);
    }
}

package io.cyclane.cpu.gemm;

import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;

/**
 * The right side of a product, packed by {@link PanelPacking}.
 *
 * @param place where the panels lie, one after the other
 * @param inputs the rows of the right side
 * @param count how many panels
 */
record Panels(Place place, int inputs, int count) {
    /**
     * Adds the products of all rows of a {@link LeftBlock} with one panel to their sums.
     *
     * @param rows of the block, which lies at {@code leftAt}
     * @param sumsAt where the rows of sums lie, one panel's width each, slack rows included
     */
    void addTo(MemorySegment scratch, long leftAt, long sumsAt, int rows, int panel) {
        for (int k = 0; k < inputs; k += LeftBlock.CHUNK) {
            addChunkTo(scratch, leftAt + LeftBlock.columnAt(k, rows), sumsAt, rows, panel, k);
        }
    }

    /**
     * Adds the products of one chunk of a {@link LeftBlock} with the part of a panel it meets.
     *
     * @param chunkAt where the first row of the chunk lies
     * @param k the input the chunk begins with
     */
    void addChunkTo(MemorySegment scratch, long chunkAt, long sumsAt, int rows, int panel, int k) {
        MemorySegment panels = place.segment();
        long panelAt = place.offset() + panel * PanelPacking.panelBytes(inputs);
        int chunk = Math.min(LeftBlock.CHUNK, inputs - k);
        long from = panelAt + k * PanelPacking.ROW_BYTES;
        for (int row = 0; row < rows; ) {
            int tile = Tiles.next(rows - row);
            long rowAt = chunkAt + row * LeftBlock.ROW_BYTES;
            long to = sumsAt + row * PanelPacking.ROW_BYTES;
            Tiles.run(tile, scratch, rowAt, panels, from, chunk, to);
            row += tile;
        }
    }
}

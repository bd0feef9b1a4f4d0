package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;

import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The right side of a product, packed by {@link PanelPacking}.
 *
 * <p>Panels are read once per block of rows, from a third-level cache or from memory. While the
 * tiles of a block run over one chunk of a panel each reads ahead its share of the next, {@link
 * Tiles} says how. What few tiles do not get to is fetched before the first tile, by reading it
 * line by line, which is quicker than the tile is.
 *
 * @param place where the panels lie, one after the other
 * @param inputs the rows of the right side
 * @param count how many panels
 */
record Panels(Place place, int inputs, int count) {
    /** The bytes of the rows that the sums of a tile start from. */
    static final long START_BYTES = Tiles.ROWS * ROW_BYTES;

    /**
     * Multiplies all rows of a {@link LeftBlock} with one panel.
     *
     * @param rows of the block, which lies at {@code leftAt}
     * @param startAt where the rows lie that the sums of every tile start from
     * @param sumsAt where the rows of sums go, one panel's width each, slack rows included
     * @param results gets the sums as they are complete; null for one who takes them afterwards
     */
    void multiply(
            MemorySegment scratch,
            long leftAt,
            long startAt,
            long sumsAt,
            int rows,
            int panel,
            @Nullable SumsSink results) {
        for (int k = 0; k < inputs; k += LeftBlock.CHUNK) {
            int next = k + LeftBlock.CHUNK;
            boolean last = next >= inputs;
            multiplyChunk(
                    scratch,
                    leftAt + LeftBlock.columnAt(k, rows),
                    k == 0 ? startAt : sumsAt,
                    sumsAt,
                    rows,
                    panel,
                    k,
                    last ? panel + 1 : panel,
                    last ? 0 : next,
                    last ? results : null);
        }
    }

    /**
     * Multiplies one chunk of a {@link LeftBlock} with the part of a panel it meets.
     *
     * @param chunkAt where the first row of the chunk lies
     * @param startAt where the rows lie that the sums of every tile start from, or the sums
     * @param k the input the chunk begins with
     * @param nextPanel the panel of the chunk to come, or beyond the last for none
     * @param nextK the input it begins with
     */
    void multiplyChunk(
            MemorySegment scratch,
            long chunkAt,
            long startAt,
            long sumsAt,
            int rows,
            int panel,
            int k,
            int nextPanel,
            int nextK,
            @Nullable SumsSink results) {
        MemorySegment panels = place.segment();
        int chunk = chunk(k);
        long from = chunkAt(panel, k);
        long share = chunk * Tiles.PANEL_AHEAD;
        long behind = from + Tiles.readers(rows) * share;
        if (rows > 1) {
            Tiles.fetch(panels, behind, from + chunk * ROW_BYTES, Tiles.LINE, scratch, chunkAt);
        }
        boolean comes = nextPanel < count;
        long aheadAt = comes ? chunkAt(nextPanel, nextK) : 0;
        long aheadEnd = comes ? aheadAt + chunk(nextK) * ROW_BYTES : 0;
        int taken = 0;
        for (int row = 0; row < rows; ) {
            int tile = Tiles.next(rows - row, rows);
            long to = sumsAt + row * ROW_BYTES;
            long leftAt = chunkAt + row * LeftBlock.ROW_BYTES;
            long start = startAt == sumsAt ? to : startAt;
            long nextAt = aheadAt + share <= aheadEnd ? aheadAt : from;
            Tiles.run(tile, scratch, leftAt, panels, from, chunk, start, to, nextAt);
            aheadAt += Tiles.readsAhead(tile) ? share : 0;
            row += tile;
            if (results != null && (row >= rows || !Tiles.RESULTS_AT_ONCE)) {
                int end = Math.min(row, rows);
                results.take(sumsAt + taken * ROW_BYTES, taken, end - taken, panel);
                taken = end;
            }
        }
    }

    private int chunk(int k) {
        return Math.min(LeftBlock.CHUNK, inputs - k);
    }

    private long chunkAt(int panel, int k) {
        return place.offset() + panel * PanelPacking.panelBytes(inputs) + k * ROW_BYTES;
    }
}

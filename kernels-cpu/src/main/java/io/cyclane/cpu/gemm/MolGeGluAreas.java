package io.cyclane.cpu.gemm;

/**
 * How one worker's scratch is shared out in {@link MolGeGluKernel}. At 0 lies the left block of x;
 * then, each from where its name says:
 *
 * @param rows the most rows of a block
 * @param hiddenAt the left block of the mixed hidden values
 * @param sumsAt the sums of one panel, slack rows included
 * @param eachAt a panel's row for each choice of a few rows, {@link MolGeGluRows#ROWS_AT_A_TIME}
 * @param stackedAt what the first factors of wi give for all experts: sums of panel after panel
 * @param factorsAt what they give for the experts chosen: rows of the padded rank
 * @param totalsAt what the first factors of wo give for them, likewise
 * @param chunkAt the same of one chunk of hidden columns
 * @param stackedBytes of one of the panels
 * @param chunkBytes of the totals, or of a chunk
 */
record MolGeGluAreas(
        int rows,
        long hiddenAt,
        long sumsAt,
        long eachAt,
        long stackedAt,
        long factorsAt,
        long totalsAt,
        long chunkAt,
        long stackedBytes,
        long chunkBytes,
        long bytes) {
    /** The most rows of a block, as for a plain layer. */
    private static final int MOST_BLOCK_ROWS = 100;

    /** What a block may take of a second-level cache of 2 MB. */
    private static final long MOST_BLOCK_BYTES = 1536 << 10;

    static MolGeGluAreas of(int mostRows, MolGeGluKernel.Form form) {
        int chunks =
                Math.ceilDiv(form.inputs(), LeftBlock.CHUNK)
                        + Math.ceilDiv(form.hidden(), LeftBlock.CHUNK);
        long fit = MOST_BLOCK_BYTES / (chunks * LeftBlock.ROW_BYTES);
        int most = Math.min(MOST_BLOCK_ROWS / Tiles.ROWS * Tiles.ROWS, whole(mostRows));
        int rows = Math.clamp(fit / Tiles.ROWS * Tiles.ROWS, Tiles.ROWS, most);
        int stacked = PanelPacking.panels(form.experts() * form.rank(), false);
        long stackedBytes = PanelProduct.sumsBytes(rows);
        long chunkBytes = 4L * rows * form.choices() * ExpertPacking.paddedRank(form.rank());
        long hiddenAt = LeftBlock.lengthBytes(rows, form.inputs());
        long sumsAt = hiddenAt + LeftBlock.lengthBytes(rows, form.hidden());
        long eachAt = sumsAt + PanelProduct.sumsBytes(rows);
        long stackedAt =
                eachAt + MolGeGluRows.ROWS_AT_A_TIME * form.choices() * PanelPacking.ROW_BYTES;
        long factorsAt = stackedAt + stacked * stackedBytes;
        long totalsAt = factorsAt + chunkBytes;
        long chunkAt = totalsAt + chunkBytes;
        return new MolGeGluAreas(
                rows,
                hiddenAt,
                sumsAt,
                eachAt,
                stackedAt,
                factorsAt,
                totalsAt,
                chunkAt,
                stackedBytes,
                chunkBytes,
                chunkAt + chunkBytes);
    }

    /** {@return so many rows rounded up to whole tiles} */
    static int whole(int rows) {
        return Math.ceilDiv(rows, Tiles.ROWS) * Tiles.ROWS;
    }
}

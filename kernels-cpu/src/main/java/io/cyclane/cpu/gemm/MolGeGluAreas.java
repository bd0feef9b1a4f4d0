package io.cyclane.cpu.gemm;

/**
 * How one worker's scratch is shared out in {@link MolGeGluKernel}. At 0 lies the left block of x;
 * then, each from where its name says (choices are those of {@link ExpertGroups}):
 *
 * @param rows the most rows of a block
 * @param hiddenAt the left block of the mixed hidden values
 * @param sumsAt the sums of one panel, slack rows included
 * @param stackedAt what the first factors of wi give for all experts: sums of panel after panel
 * @param eachAt the sums of one panel for each choice
 * @param factorsAt the left side of products with second factors: a row for each choice
 * @param valuesAt the left side of products with first factors of wo: a chunk of hidden columns for
 *     each choice
 * @param totalsAt what the latter gives: sums of panel after panel that an expert's rank lies in
 * @param chunkAt the same of one chunk of hidden columns
 * @param stackedBytes of one of the panels at {@code stackedAt}
 * @param spanBytes of one of the panels at {@code totalsAt}
 * @param totalsBytes of all of them
 */
record MolGeGluAreas(
        int rows,
        long hiddenAt,
        long sumsAt,
        long stackedAt,
        long eachAt,
        long factorsAt,
        long valuesAt,
        long totalsAt,
        long chunkAt,
        long stackedBytes,
        long spanBytes,
        long totalsBytes,
        long bytes) {
    /** The most rows of a block: 128 in one, whose experts then have 32 choices each. */
    private static final int MOST_BLOCK_ROWS = 130;

    /**
     * What the left blocks of a block may take, somewhat more than a second-level cache of 2 MB:
     * reading all panels once instead of twice is worth more. 128 rows of 1024 to 2624 took 0.86 of
     * the time in one block that they took in two (Xeon with AVX-512, one thread).
     */
    private static final long MOST_BLOCK_BYTES = 2304 << 10;

    static MolGeGluAreas of(int mostRows, MolGeGluKernel.Form form) {
        int chunks =
                Math.ceilDiv(form.inputs(), LeftBlock.CHUNK)
                        + Math.ceilDiv(form.hidden(), LeftBlock.CHUNK);
        long fit = MOST_BLOCK_BYTES / (chunks * LeftBlock.ROW_BYTES);
        int most = Math.min(MOST_BLOCK_ROWS / Tiles.ROWS * Tiles.ROWS, whole(mostRows));
        int rows = Math.clamp(fit / Tiles.ROWS * Tiles.ROWS, Tiles.ROWS, most);
        int choices = ExpertGroups.most(form.experts(), form.choices(), rows);
        int stacked = PanelPacking.panels(form.experts() * form.rank(), false);
        long stackedBytes = PanelProduct.sumsBytes(rows);
        long spanBytes = choices * PanelPacking.ROW_BYTES;
        long totalsBytes = form.span() * spanBytes;
        long hiddenAt = LeftBlock.lengthBytes(rows, form.inputs());
        // Rows of x are gathered there before.
        int widest = Math.max(form.hidden(), form.inputs());
        long sumsAt = hiddenAt + LeftBlock.lengthBytes(rows, widest);
        long stackedAt = sumsAt + PanelProduct.sumsBytes(rows);
        long eachAt = stackedAt + stacked * stackedBytes;
        long factorsAt = eachAt + spanBytes;
        long valuesAt = factorsAt + choices * LeftBlock.ROW_BYTES;
        long totalsAt = valuesAt + choices * LeftBlock.ROW_BYTES;
        long chunkAt = totalsAt + totalsBytes;
        return new MolGeGluAreas(
                rows,
                hiddenAt,
                sumsAt,
                stackedAt,
                eachAt,
                factorsAt,
                valuesAt,
                totalsAt,
                chunkAt,
                stackedBytes,
                spanBytes,
                totalsBytes,
                chunkAt + totalsBytes);
    }

    /** {@return so many rows rounded up to whole tiles} */
    static int whole(int rows) {
        return Math.ceilDiv(rows, Tiles.ROWS) * Tiles.ROWS;
    }
}

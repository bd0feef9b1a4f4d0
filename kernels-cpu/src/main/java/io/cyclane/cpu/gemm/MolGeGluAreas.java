package io.cyclane.cpu.gemm;

/**
 * How one worker's scratch is shared out in {@link MolGeGluKernel}. At 0 lies the left block of x;
 * then, each from where its name says (choices are those of {@link ExpertGroups}):
 *
 * @param rows the most rows of a block
 * @param fewRows the most rows that are dealt by panels
 * @param hiddenAt the left block of the mixed hidden values: a chunk of them, or for few rows all
 * @param startAt the rows that the sums of a tile start from
 * @param sumsAt the sums of one panel, slack rows included
 * @param eachAt the sums of one panel for each choice
 * @param factorsAt the left side of products with second factors: a row for each choice
 * @param valuesAt the left side of products with first factors: some columns of x, or of hidden
 *     values, for each choice
 * @param totalsAt what first factors give: sums of panel after panel that an expert's rank lies in
 * @param chunkAt the same of some hidden columns
 * @param resultsAt the sums of all panels of the result
 * @param fewTotalsBytes what is at {@code totalsAt} if there are few rows
 */
record MolGeGluAreas(
        int rows,
        int fewRows,
        long hiddenAt,
        long startAt,
        long sumsAt,
        long eachAt,
        long factorsAt,
        long valuesAt,
        long totalsAt,
        long chunkAt,
        long resultsAt,
        long fewTotalsBytes,
        long bytes) {
    /** What a block may take of a second-level cache of 2 MB. */
    private static final long MOST_BLOCK_BYTES = 1792 << 10;

    static MolGeGluAreas of(int mostRows, MolGeGluKernel.Form form) {
        int panels = PanelPacking.panels(form.outputs(), false);
        int chunk = Math.min(form.hidden(), LeftBlock.CHUNK);
        int few = BlockCut.fewRows(mostRows);
        int rows = BlockCut.blockRows(mostRows, rowBytes(form, chunk, panels), MOST_BLOCK_BYTES);
        int most = Math.max(rows, few);
        int choices = ExpertGroups.most(form.experts(), form.choices(), most);
        long totalsBytes = totalsBytes(form, choices);
        long fewTotalsBytes =
                totalsBytes(form, ExpertGroups.most(form.experts(), form.choices(), few));
        long hiddenAt = LeftBlock.lengthBytes(most, form.inputs());
        long hiddenBytes =
                Math.max(
                        LeftBlock.lengthBytes(rows, chunk),
                        LeftBlock.lengthBytes(few, form.hidden()));
        long startAt = hiddenAt + hiddenBytes;
        long sumsAt = startAt + Panels.START_BYTES;
        long eachAt = sumsAt + PanelProduct.sumsBytes(most);
        long factorsAt = eachAt + choices * PanelPacking.ROW_BYTES;
        long valuesAt = factorsAt + choices * LeftBlock.ROW_BYTES;
        long totalsAt = valuesAt + choices * LeftBlock.ROW_BYTES;
        long chunkAt = totalsAt + totalsBytes;
        long resultsAt = chunkAt + totalsBytes;
        long bytes = resultsAt + ResultSums.bytes(panels, rows);
        return new MolGeGluAreas(
                rows,
                few,
                hiddenAt,
                startAt,
                sumsAt,
                eachAt,
                factorsAt,
                valuesAt,
                totalsAt,
                chunkAt,
                resultsAt,
                fewTotalsBytes,
                bytes);
    }

    /** {@return what one row more takes of the cache} */
    private static long rowBytes(MolGeGluKernel.Form form, int chunk, int panels) {
        long left =
                Math.ceilDiv(form.inputs(), LeftBlock.CHUNK) + Math.ceilDiv(chunk, LeftBlock.CHUNK);
        long choice =
                4L * (MolGeGluRows.CHUNK_COLUMNS + form.rank())
                        + (2L * form.span() + 1) * PanelPacking.ROW_BYTES;
        return left * LeftBlock.ROW_BYTES
                + (1L + panels) * PanelPacking.ROW_BYTES
                + form.choices() * choice;
    }

    private static long totalsBytes(MolGeGluKernel.Form form, int choices) {
        return form.span() * choices * PanelPacking.ROW_BYTES;
    }
}

package io.cyclane.cpu.gemm;

import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Two linear layers, the second on the result of the first, block of rows by block of rows: what
 * the first computes is wide, and never leaves the worker's second-level cache. Its epilogue writes
 * it as the {@link LeftBlock} that the second product reads, one chunk of columns at a time: as
 * soon as a chunk is there, its products are added to the sums of all results, and the next takes
 * its place. So a block has many rows, and the weights, which are read once per block, are read
 * seldom; that they are, from a third-level cache or from memory, is what a layer with few rows to
 * a block waits for.
 *
 * <p>x is F32 {@code [rows, inputs]}; each layer is a {@link LinearKernel}'s, with the same bits.
 * The result may lie where the residual lies, and also where x lies if it is as wide. Rows of x may
 * be normed before, and those of the result after, each block's by its worker.
 *
 * <p>With too few rows to give every worker a block, all work on the one block there is, on a part
 * of the panels each, first of the one layer and then of the other.
 *
 * <p>One run at a time: the scratch belongs to the run.
 */
public final class FeedForwardKernel implements TwinKernel {
    /**
     * What a block may take of a second-level cache of 2 MB. It is no less where the cache is
     * smaller: of 512 KB (Zen 3, JDK 25.0.3) blocks of 384 KB gave 0.95 of the speed, since they
     * read all weights from the third level so much oftener, while a chunk of hidden columns, 250
     * KB, fits either way.
     */
    private static final long MOST_BLOCK_BYTES = 1536 << 10;

    private final Workers workers;
    private final Count rows;
    private final LeftRows x;
    private final LinearKernel.Layer result;
    private final Panels first;
    private final Panels second;
    private final Epilogue between;
    private final Epilogue last;
    private final ResultSums results;
    private final Place scratch;
    private final Areas areas;

    /** Of the first layer's results. */
    private final int columnsPerPanel;

    private final boolean[] holdsLeft;
    private final Block[] blocks;
    private final ScalarProduct scalarFirst;
    private final ScalarProduct scalarSecond;

    private final Workers.Task wholeBlock = this::wholeBlock;
    private final Workers.Task firstPanels = this::firstPanels;
    private final Workers.Task secondPanels = this::secondPanels;

    // The cut of the run at hand.
    private int rowCount;
    private int blockRows;
    private int panelsPerPiece;

    /**
     * Binds both layers to memory.
     *
     * @param rows how many rows x has in a run
     * @param mostRows the most it can have
     * @param first as wide as the second takes; without a residual and a result of its own
     * @param scratch {@code workers.threads()} times {@link #scratchBytes}, 64-byte aligned for
     *     speed; what it holds before does not matter
     */
    public FeedForwardKernel(
            Workers workers,
            Count rows,
            int mostRows,
            LeftRows x,
            LinearKernel.Layer first,
            LinearKernel.Layer second,
            Place scratch) {
        if (!first.results().isEmpty() || first.form().columns() != second.form().inputs()) {
            throw new IllegalArgumentException(
                    "feed-forward: the first layer gives %d columns and %d results, wanted %d and 0"
                            .formatted(
                                    first.form().columns(),
                                    first.results().size(),
                                    second.form().inputs()));
        }
        this.workers = workers;
        this.rows = rows;
        this.x = x;
        this.first = first.right();
        between = first.epilogue();
        result = second;
        this.second = second.right();
        last = second.epilogue();
        results = new ResultSums(this.second, last);
        this.scratch = scratch;
        areas = Areas.of(mostRows, this.first, this.second);
        columnsPerPanel = first.form().gated() ? PanelPacking.WIDTH / 2 : PanelPacking.WIDTH;
        holdsLeft = new boolean[workers.threads()];
        blocks = new Block[workers.threads()];
        for (int worker = 0; worker < blocks.length; worker++) {
            blocks[worker] = new Block(areaAt(worker));
        }
        // Its twin has the hidden rows one by one where the vectors have their left block.
        Place hidden = new Place(scratch.segment(), scratch.offset() + areas.hiddenAt());
        Place left = x.norm() == null ? x.x() : scratch;
        scalarFirst = new ScalarProduct(workers, left, first, List.of(hidden));
        scalarSecond = new ScalarProduct(workers, hidden, second, second.results());
    }

    /**
     * {@return the scratch in bytes that each worker needs}, a multiple of 64.
     *
     * @param mostRows the most rows of a run
     * @param inputs the columns of x
     * @param hidden the columns of what the first layer gives
     * @param outputs the columns of the result
     * @param normed whether x is normed
     */
    public static long scratchBytes(
            int mostRows, int inputs, int hidden, int outputs, boolean normed) {
        int panels = PanelPacking.panels(outputs, false);
        return Areas.of(mostRows, inputs, hidden, panels).bytes()
                + LeftRows.scratchBytes(inputs, normed);
    }

    /**
     * How one worker's scratch is shared out: the first layer's left side lies at 0 and what the
     * first layer gives behind it, a chunk of it, or for few rows all.
     *
     * @param rows the most rows of a block
     * @param fewRows the most rows that are dealt by panels
     * @param hiddenAt where what the first layer gives begins
     * @param startAt where the rows lie that the sums of a tile start from
     * @param sumsAt where the sums of one panel begin
     * @param resultsAt where the sums of all panels of the second layer begin
     */
    private record Areas(
            int rows,
            int fewRows,
            long hiddenAt,
            long startAt,
            long sumsAt,
            long resultsAt,
            long bytes) {
        static Areas of(int mostRows, Panels first, Panels second) {
            return of(mostRows, first.inputs(), second.inputs(), second.count());
        }

        static Areas of(int mostRows, int inputs, int hidden, int panels) {
            int few = BlockCut.fewRows(mostRows);
            int chunk = Math.min(hidden, LeftBlock.CHUNK);
            long row = blockBytes(1, inputs, chunk, panels) - blockBytes(0, inputs, chunk, panels);
            int rows = BlockCut.blockRows(mostRows, row, MOST_BLOCK_BYTES);
            long hiddenAt = LeftBlock.lengthBytes(Math.max(rows, few), inputs);
            long hiddenBytes =
                    Math.max(
                            LeftBlock.lengthBytes(rows, chunk), LeftBlock.lengthBytes(few, hidden));
            long startAt = hiddenAt + hiddenBytes;
            long sumsAt = startAt + Panels.START_BYTES;
            long resultsAt = sumsAt + PanelProduct.sumsBytes(Math.max(rows, few));
            long bytes = resultsAt + ResultSums.bytes(panels, rows);
            return new Areas(rows, few, hiddenAt, startAt, sumsAt, resultsAt, bytes);
        }

        private static long blockBytes(int rows, int inputs, int chunk, int panels) {
            return LeftBlock.lengthBytes(rows, inputs)
                    + LeftBlock.lengthBytes(rows, chunk)
                    + (1 + panels) * PanelProduct.sumsBytes(rows);
        }
    }

    @Override
    public void run() {
        rowCount = rows.value();
        if (rowCount == 0) {
            return;
        }
        int threads = workers.threads();
        long work =
                (long) rowCount
                        * second.inputs()
                        * (first.inputs() + second.count() * PanelPacking.WIDTH);
        if (BlockCut.byPanels(rowCount, areas.fewRows(), threads, work)) {
            runByPanels();
            return;
        }
        blockRows = BlockCut.shareRows(rowCount, areas.rows(), threads);
        workers.run(wholeBlock, Math.ceilDiv(rowCount, blockRows));
    }

    @Override
    public void runScalar() {
        int all = rows.value();
        for (int row = 0; row < all; row += areas.fewRows()) {
            int count = Math.min(areas.fewRows(), all - row);
            if (x.norm() == null) {
                scalarFirst.run(row, 0, count);
            } else {
                x.scalarNorm(row, count, scratch);
                scalarFirst.run(0, 0, count);
            }
            scalarSecond.run(0, row, count);
            result.scalarNormRows(row, count);
        }
    }

    private void wholeBlock(int index, int worker) {
        int firstRow = index * blockRows;
        int count = Math.min(blockRows, rowCount - firstRow);
        Block block = blocks[worker];
        block.pack(firstRow, count);
        long hiddenAt = areaAt(worker) + areas.hiddenAt();
        int chunk = Math.min(second.inputs(), LeftBlock.CHUNK);
        LeftBlock.clearSlack(scratch.segment(), hiddenAt, count, chunk);
        for (int k = 0; k < second.inputs(); k += LeftBlock.CHUNK) {
            int end = Math.min(k + LeftBlock.CHUNK, second.inputs());
            // The chunk alone is there, in the place of the first.
            block.hiddenAt = hiddenAt - LeftBlock.columnAt(k, count);
            block.hidden(k / columnsPerPanel, Math.ceilDiv(end, columnsPerPanel));
            block.addToResults(hiddenAt, k);
        }
        result.normRows(firstRow, count);
    }

    private void runByPanels() {
        Arrays.fill(holdsLeft, false);
        long hiddenAt = areaAt(0) + areas.hiddenAt();
        LeftBlock.clearSlack(scratch.segment(), hiddenAt, rowCount, second.inputs());
        workers.run(firstPanels, pieces(first.count()));
        workers.run(secondPanels, pieces(second.count()));
        result.normRows(0, rowCount);
    }

    private int pieces(int panels) {
        int least = PanelProduct.LEAST_PANELS_PER_PIECE;
        panelsPerPiece = BlockCut.perPiece(panels, least, workers.threads());
        return Math.ceilDiv(panels, panelsPerPiece);
    }

    private void firstPanels(int piece, int worker) {
        Block block = blocks[worker];
        if (!holdsLeft[worker]) {
            block.pack(0, rowCount);
            block.hiddenAt = areaAt(0) + areas.hiddenAt();
            holdsLeft[worker] = true;
        }
        int from = piece * panelsPerPiece;
        block.hidden(from, Math.min(from + panelsPerPiece, first.count()));
    }

    private void secondPanels(int piece, int worker) {
        int from = piece * panelsPerPiece;
        int end = Math.min(from + panelsPerPiece, second.count());
        blocks[worker].results(areaAt(0) + areas.hiddenAt(), from, end);
    }

    private long areaAt(int worker) {
        return scratch.offset() + worker * (areas.bytes() + x.scratchBytes());
    }

    /** The steps on a block of rows, for one worker. */
    private final class Block {
        private final MemorySegment own = scratch.segment();
        private final long leftAt;
        private final long startAt;
        private final long sumsAt;
        private final SumsSink toHidden = this::takeHidden;
        private final SumsSink toResult = this::takeResult;

        private int firstRow;
        private int count;

        /** Where the left block of all hidden columns lies, or would lie. */
        private long hiddenAt;

        Block(long at) {
            leftAt = at;
            startAt = at + areas.startAt();
            sumsAt = at + areas.sumsAt();
        }

        void pack(int firstRow, int count) {
            this.firstRow = firstRow;
            this.count = count;
            x.pack(firstRow, count, own, leftAt, leftAt + areas.bytes());
        }

        /** Computes panels of hidden columns. */
        void hidden(int from, int end) {
            for (int panel = from; panel < end; panel++) {
                between.start(own, startAt, panel);
                first.multiply(own, leftAt, startAt, sumsAt, count, panel, toHidden);
            }
        }

        private void takeHidden(long sumsAt, int row, int rows, int panel) {
            between.finishInto(own, hiddenAt, count, own, sumsAt, row, rows, panel);
        }

        /** Adds the products of the chunk that begins with hidden column k. */
        void addToResults(long chunkAt, int k) {
            long resultsAt = leftAt + areas.resultsAt();
            results.addChunk(own, chunkAt, startAt, resultsAt, count, k, toResult);
        }

        /** Computes panels of results from all hidden columns of the first rows. */
        void results(long hiddenAt, int from, int end) {
            firstRow = 0;
            count = rowCount;
            for (int panel = from; panel < end; panel++) {
                last.start(own, startAt, panel);
                second.multiply(own, hiddenAt, startAt, sumsAt, count, panel, toResult);
            }
        }

        private void takeResult(long sumsAt, int row, int rows, int panel) {
            last.finish(own, sumsAt, firstRow + row, rows, panel);
        }
    }
}

package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * The product of row-major rows with packed panels, cut into pieces for the workers: the one loop
 * nest under every matrix product.
 *
 * <p>A piece is a block of rows times a run of panels. Its worker copies the rows once into its
 * {@link LeftBlock}, small enough for the second-level cache. Then, panel by panel, all tiles of
 * the block sweep one chunk of the panel after the other, so that a panel is read from memory once
 * per block. The sums of one panel, 128 bytes a row, start from the bias; {@link Epilogue} turns
 * them into the result tile by tile, so that what it writes goes to memory while the next tile
 * computes.
 */
final class PanelProduct implements Workers.Task {
    /** The most rows of a block: 40 tiles of 10, where 384 inputs fill 665 KB. */
    private static final int MOST_BLOCK_ROWS = 400;

    /** The left block's share of the second-level cache, which is 1 MB or more where it matters. */
    private static final long LEFT_BYTES = 768 << 10;

    /** Multiply-adds below which waking a helper costs more than it brings. */
    static final long LEAST_SPLIT = 1_200_000;

    /** Pieces for each worker, so that one that starts late leaves little to wait for. */
    static final int PIECES_PER_WORKER = 4;

    static final int LEAST_PANELS_PER_PIECE = 2;
    private static final int NO_BLOCK = -1;

    private final Workers workers;
    private final LeftRows x;
    private final LinearKernel.Layer layer;
    private final Panels panels;
    private final Epilogue epilogue;
    private final Place scratch;
    private final long scratchStride;
    private final int mostBlockRows;

    /** How many pieces of each block are still to come: the last one norms the block's rows. */
    private final AtomicIntegerArray open;

    /** The block of rows that lies in each worker's scratch. */
    private final int[] packedBlocks;

    private final Results[] results;

    // The cut of the run at hand.
    private int rows;
    private int blockRows;
    private int pieceRuns;
    private int panelsPerPiece;

    /**
     * Binds the product to memory.
     *
     * @param mostRows the most rows of a run
     * @param scratch for each worker {@link #scratchBytes} and then those of x
     */
    PanelProduct(
            Workers workers, LeftRows x, LinearKernel.Layer layer, int mostRows, Place scratch) {
        this.workers = workers;
        this.x = x;
        this.layer = layer;
        panels = layer.right();
        epilogue = layer.epilogue();
        this.scratch = scratch;
        scratchStride = scratchBytes(mostRows, panels.inputs()) + x.scratchBytes();
        mostBlockRows = mostBlockRows(panels.inputs());
        open = new AtomicIntegerArray(Math.ceilDiv(mostRows, mostBlockRows));
        packedBlocks = new int[workers.threads()];
        results = new Results[workers.threads()];
        for (int worker = 0; worker < results.length; worker++) {
            results[worker] = new Results();
        }
    }

    /** {@return the scratch one worker needs for products of at most so many rows} */
    static long scratchBytes(int mostRows, int inputs) {
        int block =
                Math.min(mostBlockRows(inputs), Math.ceilDiv(mostRows, Tiles.ROWS) * Tiles.ROWS);
        return LeftBlock.lengthBytes(block, inputs) + Panels.START_BYTES + sumsBytes(block);
    }

    /** {@return the most rows of a block}, which has room for as many rows of x */
    static int mostBlockRows(int inputs) {
        long fit = LEFT_BYTES / (Math.ceilDiv(inputs, LeftBlock.CHUNK) * LeftBlock.ROW_BYTES);
        long tiles = Math.clamp(fit / Tiles.ROWS, 1, MOST_BLOCK_ROWS / Tiles.ROWS);
        return (int) tiles * Tiles.ROWS;
    }

    static long sumsBytes(int block) {
        return (block + Tiles.SLACK) * PanelPacking.ROW_BYTES;
    }

    /** Computes the first {@code rows} rows of the result. */
    void run(int rows) {
        if (rows == 0) {
            return;
        }
        this.rows = rows;
        int blocks = Math.ceilDiv(rows, mostBlockRows);
        blockRows = Math.ceilDiv(Math.ceilDiv(rows, blocks), Tiles.ROWS) * Tiles.ROWS;
        blocks = Math.ceilDiv(rows, blockRows);
        pieceRuns =
                Math.max(1, Math.min(panelRuns(blocks), panels.count() / LEAST_PANELS_PER_PIECE));
        panelsPerPiece = Math.ceilDiv(panels.count(), pieceRuns);
        pieceRuns = Math.ceilDiv(panels.count(), panelsPerPiece);
        Arrays.fill(packedBlocks, NO_BLOCK);
        for (int block = 0; block < blocks; block++) {
            open.set(block, pieceRuns);
        }
        workers.run(this, blocks * pieceRuns);
    }

    /**
     * {@return into how many runs the panels are cut, as many pieces for each worker if it can be}
     */
    private int panelRuns(int blocks) {
        long work = (long) rows * panels.inputs() * panels.count() * PanelPacking.WIDTH;
        if (workers.threads() == 1 || work < LEAST_SPLIT) {
            return 1;
        }
        int least = Math.ceilDiv(PIECES_PER_WORKER * workers.threads(), blocks);
        int fair = workers.threads() / commonDivisor(workers.threads(), blocks);
        return Math.ceilDiv(least, fair) * fair;
    }

    private static int commonDivisor(int a, int b) {
        return b == 0 ? a : commonDivisor(b, a % b);
    }

    @Override
    public void piece(int index, int worker) {
        int inputs = panels.inputs();
        int block = index / pieceRuns;
        int firstRow = block * blockRows;
        int count = Math.min(blockRows, rows - firstRow);
        MemorySegment left = scratch.segment();
        long leftAt = scratch.offset() + worker * scratchStride;
        if (packedBlocks[worker] != block) {
            long rowAt = leftAt + scratchStride - x.scratchBytes();
            x.pack(firstRow, count, left, leftAt, rowAt);
            packedBlocks[worker] = block;
        }
        long startAt = leftAt + LeftBlock.lengthBytes(count, inputs);
        long sumsAt = startAt + Panels.START_BYTES;
        results[worker].firstRow = firstRow;
        int firstPanel = index % pieceRuns * panelsPerPiece;
        int end = Math.min(firstPanel + panelsPerPiece, panels.count());
        for (int panel = firstPanel; panel < end; panel++) {
            epilogue.start(left, startAt, panel);
            panels.multiply(left, leftAt, startAt, sumsAt, count, panel, results[worker]);
        }
        if (open.decrementAndGet(block) == 0) {
            layer.normRows(firstRow, count);
        }
    }

    /** A worker's. */
    private final class Results implements SumsSink {
        private int firstRow;

        @Override
        public void take(long sumsAt, int row, int rows, int panel) {
            epilogue.finish(scratch.segment(), sumsAt, firstRow + row, rows, panel);
        }
    }
}

package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The product of row-major rows with packed panels, cut into pieces for the workers: the one loop
 * nest under every matrix product.
 *
 * <p>A piece is a block of rows times a run of panels. Its worker copies the rows once into its
 * {@link LeftBlock}, small enough for the second-level cache. Then, panel by panel, all tiles of
 * the block sweep one chunk of the panel after the other, so that a panel is read from memory once
 * per block. The sums of one panel, 128 bytes a row, stay near; {@link Epilogue} starts them from
 * the bias and turns them into the result.
 */
final class PanelProduct implements Workers.Task {
    /** The most rows of a block: ten tiles of 10, where 384 inputs fill a quarter of LEFT_BYTES. */
    private static final int MOST_BLOCK_ROWS = 100;

    /** The left block's share of the second-level cache, which is 1 MB or more where it matters. */
    private static final long LEFT_BYTES = 768 << 10;

    /** Multiply-adds below which waking a helper costs more than it brings. */
    private static final long LEAST_SPLIT = 1_200_000;

    /** Pieces for each worker, so that one that starts late leaves little to wait for. */
    private static final int PIECES_PER_WORKER = 4;

    private static final int LEAST_PANELS_PER_PIECE = 2;
    private static final int NO_BLOCK = -1;

    private final Workers workers;
    private final Place x;
    private final Place panels;
    private final int inputs;
    private final int panelCount;
    private final Epilogue epilogue;
    private final Place scratch;
    private final long scratchStride;
    private final int mostBlockRows;

    /** The block of rows that lies in each worker's scratch. */
    private final int[] packedBlocks;

    // The cut of the run at hand.
    private int rows;
    private int blockRows;
    private int pieceRuns;
    private int panelsPerPiece;

    PanelProduct(
            Workers workers,
            Place x,
            Place panels,
            int inputs,
            int panelCount,
            Epilogue epilogue,
            Place scratch,
            long scratchStride) {
        this.workers = workers;
        this.x = x;
        this.panels = panels;
        this.inputs = inputs;
        this.panelCount = panelCount;
        this.epilogue = epilogue;
        this.scratch = scratch;
        this.scratchStride = scratchStride;
        mostBlockRows = mostBlockRows(inputs);
        packedBlocks = new int[workers.threads()];
    }

    /** {@return the scratch one worker needs for products of at most so many rows} */
    static long scratchBytes(int mostRows, int inputs) {
        int block =
                Math.min(mostBlockRows(inputs), Math.ceilDiv(mostRows, Tiles.ROWS) * Tiles.ROWS);
        return LeftBlock.lengthBytes(block, inputs) + sumsBytes(block);
    }

    private static int mostBlockRows(int inputs) {
        long fit = LEFT_BYTES / (Math.ceilDiv(inputs, LeftBlock.CHUNK) * LeftBlock.ROW_BYTES);
        long tiles = Math.clamp(fit / Tiles.ROWS, 1, MOST_BLOCK_ROWS / Tiles.ROWS);
        return (int) tiles * Tiles.ROWS;
    }

    private static long sumsBytes(int block) {
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
        pieceRuns = Math.max(1, Math.min(panelRuns(blocks), panelCount / LEAST_PANELS_PER_PIECE));
        panelsPerPiece = Math.ceilDiv(panelCount, pieceRuns);
        pieceRuns = Math.ceilDiv(panelCount, panelsPerPiece);
        Arrays.fill(packedBlocks, NO_BLOCK);
        workers.run(this, blocks * pieceRuns);
    }

    private int panelRuns(int blocks) {
        long work = (long) rows * inputs * panelCount * PanelPacking.WIDTH;
        if (workers.threads() == 1 || work < LEAST_SPLIT) {
            return 1;
        }
        return Math.ceilDiv(PIECES_PER_WORKER * workers.threads(), blocks);
    }

    @Override
    public void piece(int index, int worker) {
        int block = index / pieceRuns;
        int firstRow = block * blockRows;
        int count = Math.min(blockRows, rows - firstRow);
        MemorySegment left = scratch.segment();
        long leftAt = scratch.offset() + worker * scratchStride;
        if (packedBlocks[worker] != block) {
            long from = x.offset() + 4L * firstRow * inputs;
            LeftBlock.pack(x.segment(), from, count, inputs, left, leftAt);
            packedBlocks[worker] = block;
        }
        long sumsAt = leftAt + LeftBlock.lengthBytes(count, inputs);
        int firstPanel = index % pieceRuns * panelsPerPiece;
        int end = Math.min(firstPanel + panelsPerPiece, panelCount);
        for (int panel = firstPanel; panel < end; panel++) {
            epilogue.start(left, sumsAt, count + Tiles.SLACK, panel);
            sweep(panel, count, left, leftAt, sumsAt);
            epilogue.finish(left, sumsAt, firstRow, count, panel);
        }
    }

    /** Adds the products of all rows of the block with one panel to the sums. */
    private void sweep(int panel, int count, MemorySegment left, long leftAt, long sumsAt) {
        MemorySegment packed = panels.segment();
        long panelAt = panels.offset() + panel * PanelPacking.panelBytes(inputs);
        long chunkAt = leftAt;
        for (int k = 0; k < inputs; k += LeftBlock.CHUNK) {
            int chunk = Math.min(LeftBlock.CHUNK, inputs - k);
            long from = panelAt + k * PanelPacking.ROW_BYTES;
            for (int row = 0; row < count; ) {
                int tile = Tiles.next(count - row);
                long rowAt = chunkAt + row * LeftBlock.ROW_BYTES;
                long to = sumsAt + row * PanelPacking.ROW_BYTES;
                Tiles.run(tile, left, rowAt, packed, from, chunk, to);
                row += tile;
            }
            chunkAt += LeftBlock.chunkBytes(count);
        }
    }
}

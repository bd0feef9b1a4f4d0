package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.FEW_REGISTERS;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.INT;

import io.cyclane.cpu.Lanes;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The register tiles, and how a block of rows is dealt to them.
 *
 * <p>A tile of r rows adds to r rows of sums, one panel's width apart, the product of r rows of the
 * left side, {@link #LEFT_ROW} apart, with one panel, or with the half or quarter of it that two
 * vectors span: for k ascending, {@code sums[i][j] = fma(left[i][k], panel[k][j], sums[i][j])}.
 * Every tile does so for every element alone, so that neither the choice of tile nor the cutting of
 * k into chunks can change a bit of the result. The sums start from what lies where the caller
 * says: in the sums, or in rows that serve every tile of a panel.
 *
 * <p>Ten rows by two vectors keep 20 sums, two panel vectors and some broadcasts in 32 registers:
 * 12 loads for 20 multiply-adds, two of which start in every cycle. Tiles of four rows and less are
 * bound by the latency of the multiply-add (4 cycles), so fewer rows than four run in the four-row
 * tile with rows of zeros: it costs nothing. Twelve rows are no faster and at the limit of C1
 * (below); with fourteen C2 keeps eleven of the sums in memory, at 0.55 of the register-only rate
 * against 0.92 to 0.94. A product of one row has {@link Tile1}.
 *
 * <p>Where there are 16 registers (AVX2), six rows run in {@link Tile6Few}, and {@link Tile4Few} is
 * for few rows and for what is left. C2 moves the loads of an iteration, and of all that it
 * unrolls, to its beginning, and then has not the registers to hold what they brought: 0.47 of the
 * register-only rate. Nothing that reads memory may be moved across a fence, and one that orders
 * loads alone is no instruction: with one behind each row, twelve sums, two vectors of the panel
 * and one number of the left side at a time are all that registers must hold. C2 does not unroll a
 * loop with fences, so the tile takes two inputs at a time: 49 instructions for 24 multiply-adds,
 * and MiniLM at 1.05 (8 texts of 128 tokens, quartiles 1.03 to 1.10) of what it was with five rows
 * held back by stores that nobody reads, at 85 for 40 (Zen 3, JDK 25.0.3). The tile of four rows
 * has such a store, which C2 unrolls: with few rows it is the faster form (0.94 with fences).
 *
 * <p>Stores leave in order. Those of a tile that runs while results are on their way to memory wait
 * behind them, and the tile with them. So the results of a block are written together ({@link
 * #RESULTS_AT_ONCE}): MiniLM, 8 texts of 128 tokens, 1.03; a product of 384 inputs by itself 1.05.
 *
 * <p>With each input a tile also reads some bytes of what comes next, and does nothing with them:
 * Java has no instruction that asks for memory ahead of time. Of a model's weights a core gets 8 to
 * 12 GB a second from the third-level cache, and waits for them; spread over the tiles of a panel,
 * the waiting goes on beside their multiply-adds. A tile gives what it saw together, so that C2
 * does not drop the reads. {@link Tile6Few} does without: where a hyperthread's neighbour takes its
 * share of the instructions, what reads ahead costs more than it brings (MiniLM, 8 texts of 128
 * tokens: 0.91), but not where rows are few (one of 16 tokens: 1.14).
 *
 * <p>Five things about their code look odd and are not (Xeon with AVX-512, JDK 25.0.3, share of the
 * register-only rate):
 *
 * <ul>
 *   <li>Every call stands written out, with every sum in a local variable: only then do the sums
 *       stay in registers.
 *   <li>They work on slices, and bound the count of inputs by what is true anyway. With offsets and
 *       counts of known size most bounds checks fall away. Else the checks need so many registers
 *       that C2 keeps the left side's address in a vector register and moves it to and fro on the
 *       ports of the multiply-adds, in every iteration: 0.65 instead of 0.94. Compiled code makes
 *       no slices. The tiles for 16 registers take them from a {@link Window}, which makes half the
 *       code; in the one of ten rows that would bring a load near C2's limit of nodes, below.
 *   <li>The slices name an alignment of 1 to be taken by the form of {@code asSlice} that has one.
 *       The other is reached through a bridge, a method of one call, which HotSpot deems not worth
 *       a profile when C2 is busy at the time it is first compiled. C2 then holds that call for one
 *       that is never made, does not inline it, and knows nothing of the segment it gives: a tile
 *       of 49 KB instead of 12, and an encoder at 0.7 of its speed in every second process, for
 *       good.
 *   <li>The elements of the left side are read ahead of their use, four or six rows together. When
 *       C2 has parsed 18,000 nodes, as it has in the middle of the tile of ten rows, it stops
 *       inlining methods that are not annotated, and a scalar load has two of them. Had the count
 *       been passed inside one, its row would cost a call in each iteration: 0.2 instead of 0.94,
 *       in the one process of three whose profile put it there. What C2 parses beyond the count it
 *       inlines afterwards, by another limit. {@link Tile6Few} passes it among vector loads, which
 *       are all annotated; some are there for nothing else, and no code is made of them.
 *   <li>The sums are loaded through {@link #sum}, which is too long for C1 to inline (C2 does).
 *       With all calls inlined C1 runs out of virtual registers, and a method that C1 refuses to
 *       compile with profiling can stay in its unprofiled form for ever, a hundred times slower.
 * </ul>
 */
final class Tiles {
    /** The distance between two rows of the left side. */
    static final long LEFT_ROW = LeftBlock.ROW_BYTES;

    /** The distance between two rows of a panel, and of the sums. */
    static final long PANEL_ROW = PanelPacking.ROW_BYTES;

    /** The bytes of a cache line. */
    static final long LINE = 64;

    /** The bytes of a vector. */
    static final long VECTOR = 4L * Lanes.COUNT;

    /** The bytes of a panel's row that two vectors leave to the next run of the tile. */
    static final long REST = PANEL_ROW - 2 * VECTOR;

    /** Whether a block's sums are turned into results together, or each tile's when complete. */
    static final boolean RESULTS_AT_ONCE = FEW_REGISTERS;

    /** How many bytes are read ahead with each input while tiles run over a whole panel. */
    static final long PANEL_AHEAD = FEW_REGISTERS ? 32 : 16;

    /** Of these, how many in one run of a tile, which looks at the first. */
    static final long AHEAD = PANEL_AHEAD * 2 * VECTOR / PANEL_ROW;

    /** Rows of the largest tile. */
    static final int ROWS = FEW_REGISTERS ? 6 : 10;

    /**
     * The rows of the tile to use when so many rows are left, below four times the largest tile.
     */
    private static final int[] NEXT = plan();

    /** How many rows beyond the last one a tile may touch, on the left and in the sums. */
    static final int SLACK = slack();

    /** Rows that wait for weights more than for anything else. */
    private static final int FEW_ROWS = 16;

    private Tiles() {}

    /** {@return how many rows the next tile has when {@code left} rows, at least 1, are left} */
    static int next(int left) {
        return left < NEXT.length ? NEXT[left] : ROWS;
    }

    /**
     * {@return the same of a product of so many rows in all} One row has a tile of its own, and few
     * have those that read ahead.
     */
    static int next(int left, int rows) {
        if (rows == 1) {
            return 1;
        }
        return FEW_REGISTERS && rows <= FEW_ROWS ? 4 : next(left);
    }

    /** {@return whether the tile of so many rows reads ahead} */
    static boolean readsAhead(int tile) {
        return tile > 1 && (!FEW_REGISTERS || tile != ROWS);
    }

    /** {@return how many of the tiles that cover so many rows read ahead, of those that count} */
    static int readers(int rows) {
        int readers = 0;
        int enough = (int) (PANEL_ROW / PANEL_AHEAD);
        for (int left = rows; left > 0 && readers < enough; left -= next(left, rows)) {
            if (readsAhead(next(left, rows))) {
                readers++;
            } else if (left >= NEXT.length) {
                // None will come while many rows are left.
                return 0;
            }
        }
        return readers;
    }

    /** {@return the rows of the tiles that cover so many, at least as many} */
    static int covering(int rows) {
        int covered = 0;
        while (covered < rows) {
            covered += next(rows - covered);
        }
        return covered;
    }

    /** The cheapest way to cover each count of rows. */
    private static int[] plan() {
        int[] sizes = FEW_REGISTERS ? new int[] {6, 4} : new int[] {10, 6, 4};
        // In hundredths of a row of the largest tile: a smaller one loads more for each result.
        int[] costs = FEW_REGISTERS ? new int[] {640, 470} : new int[] {1000, 650, 480};
        int[] next = new int[4 * ROWS];
        int[] cost = new int[4 * ROWS];
        for (int left = 1; left < next.length; left++) {
            cost[left] = Integer.MAX_VALUE;
            for (int i = 0; i < sizes.length; i++) {
                int total = costs[i] + cost[Math.max(left - sizes[i], 0)];
                if (total < cost[left]) {
                    cost[left] = total;
                    next[left] = sizes[i];
                }
            }
        }
        return next;
    }

    private static int slack() {
        int most = 0;
        for (int left = 1; left < NEXT.length; left++) {
            most = Math.max(most, NEXT[left] - left);
        }
        return most;
    }

    /**
     * Runs the tile of so many rows over one whole panel.
     *
     * @param rows what {@link #next(int, int)} returned
     * @param scratch holds the left side, what the sums start from, and the sums
     * @param inputs how many inputs, from those that {@code leftAt} and {@code panelAt} point at
     * @param startAt where rows lie that the sums start from, as far apart, or the sums
     * @param aheadAt where in the panels that is which comes next: {@link #PANEL_AHEAD} bytes for
     *     each input are read
     */
    static void run(
            int rows,
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long startAt,
            long sumsAt,
            long aheadAt) {
        if (rows == 1) {
            for (long at = 0; at < PANEL_ROW; at += Tile1.ROW) {
                Tile1.run(scratch, leftAt, panels, panelAt + at, inputs, startAt + at, sumsAt + at);
            }
            return;
        }
        long ahead = aheadAt;
        for (long at = 0; at < PANEL_ROW; at += 2 * VECTOR) {
            long panel = panelAt + at;
            tile(rows, scratch, leftAt, panels, panel, inputs, startAt + at, sumsAt + at, ahead);
            ahead += inputs * AHEAD;
        }
    }

    /**
     * Adds to the sums the products with some columns of a panel, from one multiple of 16 to
     * another; it may take in others.
     */
    static void addColumns(
            int rows,
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long sumsAt,
            int from,
            int end) {
        if (rows == 10 && end - from == Lanes.COUNT) {
            long at = 4L * from;
            Tile10Half.run(scratch, leftAt, panels, panelAt + at, inputs, sumsAt + at);
            return;
        }
        for (long at = 4L * from / (2 * VECTOR) * (2 * VECTOR); at < 4L * end; at += 2 * VECTOR) {
            long panel = panelAt + at;
            long sums = sumsAt + at;
            tile(rows, scratch, leftAt, panels, panel, inputs, sums, sums, panel);
        }
    }

    private static void tile(
            int rows,
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long startAt,
            long sumsAt,
            long aheadAt) {
        if (FEW_REGISTERS) {
            if (rows == 6) {
                Tile6Few.run(scratch, leftAt, panels, panelAt, inputs, startAt, sumsAt);
            } else {
                Tile4Few.run(scratch, leftAt, panels, panelAt, inputs, startAt, sumsAt, aheadAt);
            }
            if (rows == 6 && (inputs & 1) != 0) {
                long last = inputs - 1;
                long left = leftAt + last * Float.BYTES;
                long right = panelAt + last * PANEL_ROW;
                TileLast.run(rows, scratch, left, LEFT_ROW, panels, right, sumsAt, PANEL_ROW);
            }
            return;
        }
        switch (rows) {
            case 10 ->
                    Tile10.run(scratch, leftAt, panels, panelAt, inputs, startAt, sumsAt, aheadAt);
            case 6 -> Tile6.run(scratch, leftAt, panels, panelAt, inputs, startAt, sumsAt, aheadAt);
            case 4 -> Tile4.run(scratch, leftAt, panels, panelAt, inputs, startAt, sumsAt, aheadAt);
            default -> throw new AssertionError("no tile of " + rows + " rows");
        }
    }

    /**
     * Reads from what few tiles will run over, {@code step} bytes apart, so that it is near: a loop
     * of nothing but reads has more of them under way than a tile.
     *
     * @param scratch holds the left side, at {@code leftAt}
     */
    static void fetch(
            MemorySegment panels,
            long from,
            long end,
            long step,
            MemorySegment scratch,
            long leftAt) {
        MemorySegment s = Window.of(panels, from, Math.max(0, end - from));
        int seen = 0;
        for (long at = 0; at < end - from; at += step) {
            seen |= s.get(INT, at);
        }
        // Where nobody looks; or C2 would drop the reads.
        scratch.set(INT, leftAt + LeftBlock.UNREAD, seen);
    }

    /**
     * {@return the vector at {@code at} bytes into the sums}
     *
     * <p>With the assertion it has more than 35 bytecodes, C1's limit for inlining: see the class.
     */
    static FloatVector sum(MemorySegment sums, long at) {
        assert at >= 0 && at + VECTOR <= sums.byteSize()
                : "a vector at " + at + " of " + sums.byteSize() + " bytes of sums";
        return FloatVector.fromMemorySegment(F32, sums, at, ORDER);
    }
}

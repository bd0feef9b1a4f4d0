package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Lanes;
import java.lang.foreign.MemorySegment;

/**
 * The register tiles, and how a block of rows is dealt to them.
 *
 * <p>A tile of r rows adds to {@code sums}, r rows of one panel's width, the product of r rows of
 * {@code left} (rows {@link LeftBlock#ROW_BYTES} apart) with one panel, or with the half or quarter
 * of it that two vectors span: for k ascending, {@code sums[i][j] = fma(left[i][k], panel[k][j],
 * sums[i][j])}. Every tile does so for every element alone, so that neither the choice of tile nor
 * the cutting of k into chunks can change a bit of the result.
 *
 * <p>Twelve rows by two vectors keep 24 sums, two panel vectors and some broadcasts in 32
 * registers: 14 loads for 24 multiply-adds. Where there are 16 registers (AVX2) it is six rows.
 * Fourteen rows would fit too, but C2 then keeps eleven of the sums in memory: 0.55 of the
 * register-only rate against 0.94 (Xeon with AVX-512, JDK 25.0.3).
 *
 * <p>Tiles of four rows and less are bound by the latency of the multiply-add (4 cycles, 2 a
 * cycle), so fewer rows than four run in the four-row tile with rows of zeros: it costs nothing.
 *
 * <p>The tiles are long because every call stands written out with every sum in a local variable:
 * with loads or sums behind small methods or arrays, C2 keeps them in memory.
 */
final class Tiles {
    /** Rows of the largest tile. */
    static final int ROWS = hasThirtyTwoRegisters() ? 12 : 6;

    /** The rows of the tile to use when so many rows are left, below twice the largest tile. */
    private static final int[] NEXT = plan();

    /** How many rows beyond the last one a tile may touch, on the left and in the sums. */
    static final int SLACK = slack();

    private Tiles() {}

    private static boolean hasThirtyTwoRegisters() {
        return Lanes.bits() == 512 || System.getProperty("os.arch").equals("aarch64");
    }

    /** {@return how many rows the next tile has when {@code left} rows, at least 1, are left} */
    static int next(int left) {
        return left < NEXT.length ? NEXT[left] : ROWS;
    }

    /** The cheapest way to cover each count of rows, in units of one row of the largest tile. */
    private static int[] plan() {
        int[] sizes = ROWS == 12 ? new int[] {12, 8, 4} : new int[] {6, 4};
        // A smaller tile loads more per multiply-add: dearer by these hundredths of a row.
        int[] costs = ROWS == 12 ? new int[] {1200, 830, 460} : new int[] {600, 420};
        int[] next = new int[2 * ROWS];
        int[] cost = new int[2 * ROWS];
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
     * @param rows what {@link #next} returned
     * @param inputs how many inputs, from those that {@code leftAt} and {@code panelAt} point at
     */
    static void run(
            int rows,
            MemorySegment left,
            long leftAt,
            MemorySegment panel,
            long panelAt,
            int inputs,
            MemorySegment sums,
            long sumsAt) {
        for (long at = 0; at < PanelPacking.ROW_BYTES; at += 2 * 4L * Lanes.COUNT) {
            switch (rows) {
                case 12 -> Tile12.run(left, leftAt, panel, panelAt + at, inputs, sums, sumsAt + at);
                case 8 -> Tile8.run(left, leftAt, panel, panelAt + at, inputs, sums, sumsAt + at);
                case 6 -> Tile6.run(left, leftAt, panel, panelAt + at, inputs, sums, sumsAt + at);
                case 4 -> Tile4.run(left, leftAt, panel, panelAt + at, inputs, sums, sumsAt + at);
                default -> throw new AssertionError("no tile of " + rows + " rows");
            }
        }
    }
}

package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.Tiles.LEFT_ROW;
import static io.cyclane.cpu.gemm.Tiles.PANEL_ROW;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static io.cyclane.cpu.gemm.Tiles.sum;
import static java.lang.invoke.VarHandle.acquireFence;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The register tile of one row by four vectors, or by the two that a panel has; {@link Tiles} has
 * its contract. It is for products of one row, which do nothing but wait for their weights: it runs
 * over a panel from end to end, faster than memory brings it, and so fetches nothing beforehand
 * (1.4 to 1.7 times the speed of the tile of four rows behind a fetch, Zen 3, JDK 25.0.3; with two
 * vectors of four 0.77 of that).
 */
final class Tile1 {
    private static final boolean HAS_FOUR = 4 * VECTOR <= PANEL_ROW;

    /** The bytes of the sums of a run. */
    static final long ROW = HAS_FOUR ? 4 * VECTOR : 2 * VECTOR;

    private Tile1() {}

    static void run(
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long startAt,
            long sumsAt) {
        MemorySegment left = Window.of(scratch, leftAt, LEFT_ROW);
        MemorySegment panel = Window.of(panels, panelAt, (inputs - 1) * PANEL_ROW + ROW);
        MemorySegment start = Window.of(scratch, startAt, ROW);
        MemorySegment sums = Window.of(scratch, sumsAt, ROW);
        FloatVector a = sum(start, 0);
        FloatVector b = sum(start, VECTOR);
        FloatVector c = HAS_FOUR ? sum(start, 2 * VECTOR) : a;
        FloatVector d = HAS_FOUR ? sum(start, 3 * VECTOR) : b;
        int count = Math.min(inputs, LeftBlock.CHUNK);
        for (int k = 0; k < count; k++) {
            FloatVector x = broadcast(F32, left.get(FLOAT, 4L * k));
            long at = k * PANEL_ROW;
            a = x.fma(fromMemorySegment(F32, panel, at, ORDER), a);
            b = x.fma(fromMemorySegment(F32, panel, at + VECTOR, ORDER), b);
            if (HAS_FOUR) {
                c = x.fma(fromMemorySegment(F32, panel, at + 2 * VECTOR, ORDER), c);
                d = x.fma(fromMemorySegment(F32, panel, at + 3 * VECTOR, ORDER), d);
            }
            // As in Tile6Few; a store would go to a line that workers share.
            acquireFence();
        }
        a.intoMemorySegment(sums, 0, ORDER);
        b.intoMemorySegment(sums, VECTOR, ORDER);
        if (HAS_FOUR) {
            c.intoMemorySegment(sums, 2 * VECTOR, ORDER);
            d.intoMemorySegment(sums, 3 * VECTOR, ORDER);
        }
    }
}

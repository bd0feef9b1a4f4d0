package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.LeftBlock.ROW_BYTES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The register tile of 4 rows by two vectors; see {@link Tiles} for its contract and for why every
 * call is written out.
 */
final class Tile4 {
    private static final long VECTOR = 4L * Lanes.COUNT;
    private static final long PANEL_ROW = PanelPacking.ROW_BYTES;

    private Tile4() {}

    static void run(
            MemorySegment left,
            long leftAt,
            MemorySegment panel,
            long panelAt,
            int inputs,
            MemorySegment sums,
            long sumsAt) {
        FloatVector a0 = fromMemorySegment(F32, sums, sumsAt, ORDER);
        FloatVector b0 = fromMemorySegment(F32, sums, sumsAt + VECTOR, ORDER);
        FloatVector a1 = fromMemorySegment(F32, sums, sumsAt + 1 * PANEL_ROW, ORDER);
        FloatVector b1 = fromMemorySegment(F32, sums, sumsAt + 1 * PANEL_ROW + VECTOR, ORDER);
        FloatVector a2 = fromMemorySegment(F32, sums, sumsAt + 2 * PANEL_ROW, ORDER);
        FloatVector b2 = fromMemorySegment(F32, sums, sumsAt + 2 * PANEL_ROW + VECTOR, ORDER);
        FloatVector a3 = fromMemorySegment(F32, sums, sumsAt + 3 * PANEL_ROW, ORDER);
        FloatVector b3 = fromMemorySegment(F32, sums, sumsAt + 3 * PANEL_ROW + VECTOR, ORDER);
        for (int k = 0; k < inputs; k++) {
            long panelRow = panelAt + k * PANEL_ROW;
            FloatVector a = fromMemorySegment(F32, panel, panelRow, ORDER);
            FloatVector b = fromMemorySegment(F32, panel, panelRow + VECTOR, ORDER);
            long x = leftAt + 4L * k;
            FloatVector x0 = broadcast(F32, left.get(FLOAT, x));
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            FloatVector x1 = broadcast(F32, left.get(FLOAT, x + 1 * ROW_BYTES));
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            FloatVector x2 = broadcast(F32, left.get(FLOAT, x + 2 * ROW_BYTES));
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            FloatVector x3 = broadcast(F32, left.get(FLOAT, x + 3 * ROW_BYTES));
            a3 = x3.fma(a, a3);
            b3 = x3.fma(b, b3);
        }
        a0.intoMemorySegment(sums, sumsAt, ORDER);
        b0.intoMemorySegment(sums, sumsAt + VECTOR, ORDER);
        a1.intoMemorySegment(sums, sumsAt + 1 * PANEL_ROW, ORDER);
        b1.intoMemorySegment(sums, sumsAt + 1 * PANEL_ROW + VECTOR, ORDER);
        a2.intoMemorySegment(sums, sumsAt + 2 * PANEL_ROW, ORDER);
        b2.intoMemorySegment(sums, sumsAt + 2 * PANEL_ROW + VECTOR, ORDER);
        a3.intoMemorySegment(sums, sumsAt + 3 * PANEL_ROW, ORDER);
        b3.intoMemorySegment(sums, sumsAt + 3 * PANEL_ROW + VECTOR, ORDER);
    }
}

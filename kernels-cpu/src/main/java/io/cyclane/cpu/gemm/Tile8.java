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
 * The register tile of 8 rows by two vectors; see {@link Tiles} for its contract and for why every
 * call is written out.
 */
final class Tile8 {
    private static final long VECTOR = 4L * Lanes.COUNT;
    private static final long PANEL_ROW = PanelPacking.ROW_BYTES;

    private Tile8() {}

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
        FloatVector a4 = fromMemorySegment(F32, sums, sumsAt + 4 * PANEL_ROW, ORDER);
        FloatVector b4 = fromMemorySegment(F32, sums, sumsAt + 4 * PANEL_ROW + VECTOR, ORDER);
        FloatVector a5 = fromMemorySegment(F32, sums, sumsAt + 5 * PANEL_ROW, ORDER);
        FloatVector b5 = fromMemorySegment(F32, sums, sumsAt + 5 * PANEL_ROW + VECTOR, ORDER);
        FloatVector a6 = fromMemorySegment(F32, sums, sumsAt + 6 * PANEL_ROW, ORDER);
        FloatVector b6 = fromMemorySegment(F32, sums, sumsAt + 6 * PANEL_ROW + VECTOR, ORDER);
        FloatVector a7 = fromMemorySegment(F32, sums, sumsAt + 7 * PANEL_ROW, ORDER);
        FloatVector b7 = fromMemorySegment(F32, sums, sumsAt + 7 * PANEL_ROW + VECTOR, ORDER);
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
            FloatVector x4 = broadcast(F32, left.get(FLOAT, x + 4 * ROW_BYTES));
            a4 = x4.fma(a, a4);
            b4 = x4.fma(b, b4);
            FloatVector x5 = broadcast(F32, left.get(FLOAT, x + 5 * ROW_BYTES));
            a5 = x5.fma(a, a5);
            b5 = x5.fma(b, b5);
            FloatVector x6 = broadcast(F32, left.get(FLOAT, x + 6 * ROW_BYTES));
            a6 = x6.fma(a, a6);
            b6 = x6.fma(b, b6);
            FloatVector x7 = broadcast(F32, left.get(FLOAT, x + 7 * ROW_BYTES));
            a7 = x7.fma(a, a7);
            b7 = x7.fma(b, b7);
        }
        a0.intoMemorySegment(sums, sumsAt, ORDER);
        b0.intoMemorySegment(sums, sumsAt + VECTOR, ORDER);
        a1.intoMemorySegment(sums, sumsAt + 1 * PANEL_ROW, ORDER);
        b1.intoMemorySegment(sums, sumsAt + 1 * PANEL_ROW + VECTOR, ORDER);
        a2.intoMemorySegment(sums, sumsAt + 2 * PANEL_ROW, ORDER);
        b2.intoMemorySegment(sums, sumsAt + 2 * PANEL_ROW + VECTOR, ORDER);
        a3.intoMemorySegment(sums, sumsAt + 3 * PANEL_ROW, ORDER);
        b3.intoMemorySegment(sums, sumsAt + 3 * PANEL_ROW + VECTOR, ORDER);
        a4.intoMemorySegment(sums, sumsAt + 4 * PANEL_ROW, ORDER);
        b4.intoMemorySegment(sums, sumsAt + 4 * PANEL_ROW + VECTOR, ORDER);
        a5.intoMemorySegment(sums, sumsAt + 5 * PANEL_ROW, ORDER);
        b5.intoMemorySegment(sums, sumsAt + 5 * PANEL_ROW + VECTOR, ORDER);
        a6.intoMemorySegment(sums, sumsAt + 6 * PANEL_ROW, ORDER);
        b6.intoMemorySegment(sums, sumsAt + 6 * PANEL_ROW + VECTOR, ORDER);
        a7.intoMemorySegment(sums, sumsAt + 7 * PANEL_ROW, ORDER);
        b7.intoMemorySegment(sums, sumsAt + 7 * PANEL_ROW + VECTOR, ORDER);
    }
}

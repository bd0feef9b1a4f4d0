package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.Tiles.LEFT_ROW;
import static io.cyclane.cpu.gemm.Tiles.PANEL_ROW;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static io.cyclane.cpu.gemm.Tiles.sum;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The register tile of 10 rows by one vector, for half a panel where a vector is that wide; {@link
 * Tiles} has its contract and says why it is written like this. It is bound by its loads, 11 for 10
 * multiply-adds, and takes little more than half the time of two vectors.
 */
final class Tile10Half {
    private Tile10Half() {}

    static void run(
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long sumsAt) {
        MemorySegment left = scratch.asSlice(leftAt, 10 * LEFT_ROW, 1);
        MemorySegment panel = panels.asSlice(panelAt, inputs * PANEL_ROW - (PANEL_ROW - VECTOR), 1);
        MemorySegment sums = scratch.asSlice(sumsAt, 10 * PANEL_ROW - (PANEL_ROW - VECTOR), 1);
        FloatVector a0 = sum(sums, 0);
        FloatVector a1 = sum(sums, 1 * PANEL_ROW);
        FloatVector a2 = sum(sums, 2 * PANEL_ROW);
        FloatVector a3 = sum(sums, 3 * PANEL_ROW);
        FloatVector a4 = sum(sums, 4 * PANEL_ROW);
        FloatVector a5 = sum(sums, 5 * PANEL_ROW);
        FloatVector a6 = sum(sums, 6 * PANEL_ROW);
        FloatVector a7 = sum(sums, 7 * PANEL_ROW);
        FloatVector a8 = sum(sums, 8 * PANEL_ROW);
        FloatVector a9 = sum(sums, 9 * PANEL_ROW);
        int count = Math.min(inputs, LeftBlock.CHUNK);
        for (int k = 0; k < count; k++) {
            FloatVector a = fromMemorySegment(F32, panel, k * PANEL_ROW, ORDER);
            long x = 4L * k;
            a0 = broadcast(F32, left.get(FLOAT, x)).fma(a, a0);
            a1 = broadcast(F32, left.get(FLOAT, x + 1 * LEFT_ROW)).fma(a, a1);
            a2 = broadcast(F32, left.get(FLOAT, x + 2 * LEFT_ROW)).fma(a, a2);
            a3 = broadcast(F32, left.get(FLOAT, x + 3 * LEFT_ROW)).fma(a, a3);
            a4 = broadcast(F32, left.get(FLOAT, x + 4 * LEFT_ROW)).fma(a, a4);
            a5 = broadcast(F32, left.get(FLOAT, x + 5 * LEFT_ROW)).fma(a, a5);
            a6 = broadcast(F32, left.get(FLOAT, x + 6 * LEFT_ROW)).fma(a, a6);
            a7 = broadcast(F32, left.get(FLOAT, x + 7 * LEFT_ROW)).fma(a, a7);
            a8 = broadcast(F32, left.get(FLOAT, x + 8 * LEFT_ROW)).fma(a, a8);
            a9 = broadcast(F32, left.get(FLOAT, x + 9 * LEFT_ROW)).fma(a, a9);
        }
        a0.intoMemorySegment(sums, 0, ORDER);
        a1.intoMemorySegment(sums, 1 * PANEL_ROW, ORDER);
        a2.intoMemorySegment(sums, 2 * PANEL_ROW, ORDER);
        a3.intoMemorySegment(sums, 3 * PANEL_ROW, ORDER);
        a4.intoMemorySegment(sums, 4 * PANEL_ROW, ORDER);
        a5.intoMemorySegment(sums, 5 * PANEL_ROW, ORDER);
        a6.intoMemorySegment(sums, 6 * PANEL_ROW, ORDER);
        a7.intoMemorySegment(sums, 7 * PANEL_ROW, ORDER);
        a8.intoMemorySegment(sums, 8 * PANEL_ROW, ORDER);
        a9.intoMemorySegment(sums, 9 * PANEL_ROW, ORDER);
    }
}

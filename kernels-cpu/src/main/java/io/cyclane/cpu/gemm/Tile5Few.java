package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.LeftBlock.UNREAD;
import static io.cyclane.cpu.gemm.Tiles.LEFT_ROW;
import static io.cyclane.cpu.gemm.Tiles.PANEL_ROW;
import static io.cyclane.cpu.gemm.Tiles.REST;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static io.cyclane.cpu.gemm.Tiles.sum;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The register tile of 5 rows by two vectors where there are 16 registers; {@link Tiles} has its
 * contract and says why it is written like this, and what it stores half way.
 */
final class Tile5Few {
    private Tile5Few() {}

    static void run(
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long startAt,
            long sumsAt) {
        MemorySegment left = Window.of(scratch, leftAt, 5 * LEFT_ROW);
        MemorySegment unread = Window.of(scratch, leftAt + UNREAD, VECTOR);
        MemorySegment panel = Window.of(panels, panelAt, inputs * PANEL_ROW - REST);
        MemorySegment start = Window.of(scratch, startAt, 5 * PANEL_ROW - REST);
        MemorySegment sums = Window.of(scratch, sumsAt, 5 * PANEL_ROW - REST);
        FloatVector a0 = sum(start, 0);
        FloatVector b0 = sum(start, VECTOR);
        FloatVector a1 = sum(start, 1 * PANEL_ROW);
        FloatVector b1 = sum(start, 1 * PANEL_ROW + VECTOR);
        FloatVector a2 = sum(start, 2 * PANEL_ROW);
        FloatVector b2 = sum(start, 2 * PANEL_ROW + VECTOR);
        FloatVector a3 = sum(start, 3 * PANEL_ROW);
        FloatVector b3 = sum(start, 3 * PANEL_ROW + VECTOR);
        FloatVector a4 = sum(start, 4 * PANEL_ROW);
        FloatVector b4 = sum(start, 4 * PANEL_ROW + VECTOR);
        int count = Math.min(inputs, LeftBlock.CHUNK);
        for (int k = 0; k < count; k++) {
            long x = 4L * k;
            FloatVector a = fromMemorySegment(F32, panel, k * PANEL_ROW, ORDER);
            FloatVector b = fromMemorySegment(F32, panel, k * PANEL_ROW + VECTOR, ORDER);
            float left0 = left.get(FLOAT, x);
            float left1 = left.get(FLOAT, x + 1 * LEFT_ROW);
            FloatVector x0 = broadcast(F32, left0);
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            FloatVector x1 = broadcast(F32, left1);
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            b1.intoMemorySegment(unread, 0, ORDER);
            float left2 = left.get(FLOAT, x + 2 * LEFT_ROW);
            float left3 = left.get(FLOAT, x + 3 * LEFT_ROW);
            float left4 = left.get(FLOAT, x + 4 * LEFT_ROW);
            FloatVector x2 = broadcast(F32, left2);
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            FloatVector x3 = broadcast(F32, left3);
            a3 = x3.fma(a, a3);
            b3 = x3.fma(b, b3);
            FloatVector x4 = broadcast(F32, left4);
            a4 = x4.fma(a, a4);
            b4 = x4.fma(b, b4);
            b4.intoMemorySegment(unread, 0, ORDER);
        }
        a0.intoMemorySegment(sums, 0, ORDER);
        b0.intoMemorySegment(sums, VECTOR, ORDER);
        a1.intoMemorySegment(sums, 1 * PANEL_ROW, ORDER);
        b1.intoMemorySegment(sums, 1 * PANEL_ROW + VECTOR, ORDER);
        a2.intoMemorySegment(sums, 2 * PANEL_ROW, ORDER);
        b2.intoMemorySegment(sums, 2 * PANEL_ROW + VECTOR, ORDER);
        a3.intoMemorySegment(sums, 3 * PANEL_ROW, ORDER);
        b3.intoMemorySegment(sums, 3 * PANEL_ROW + VECTOR, ORDER);
        a4.intoMemorySegment(sums, 4 * PANEL_ROW, ORDER);
        b4.intoMemorySegment(sums, 4 * PANEL_ROW + VECTOR, ORDER);
    }
}

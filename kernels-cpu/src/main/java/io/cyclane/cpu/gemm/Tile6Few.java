package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.Tiles.LEFT_ROW;
import static io.cyclane.cpu.gemm.Tiles.PANEL_ROW;
import static io.cyclane.cpu.gemm.Tiles.REST;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static io.cyclane.cpu.gemm.Tiles.sum;
import static java.lang.invoke.VarHandle.acquireFence;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The register tile of 6 rows by two vectors where there are 16 registers; {@link Tiles} has its
 * contract and says why it is written like this, and what the fences are for.
 */
final class Tile6Few {
    private Tile6Few() {}

    static void run(
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            int inputs,
            long startAt,
            long sumsAt) {
        MemorySegment left = Window.of(scratch, leftAt, 6 * LEFT_ROW);
        MemorySegment panel = Window.of(panels, panelAt, inputs * PANEL_ROW - REST);
        MemorySegment start = Window.of(scratch, startAt, 6 * PANEL_ROW - REST);
        MemorySegment sums = Window.of(scratch, sumsAt, 6 * PANEL_ROW - REST);
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
        FloatVector a5 = sum(start, 5 * PANEL_ROW);
        FloatVector b5 = sum(start, 5 * PANEL_ROW + VECTOR);
        int pairs = Math.min(inputs, LeftBlock.CHUNK) >> 1;
        for (int pair = 0; pair < pairs; pair++) {
            long from = pair * (2 * PANEL_ROW);
            long x = 8L * pair;
            FloatVector a = sum(panel, from);
            FloatVector b = sum(panel, from + VECTOR);
            FloatVector x0 = broadcast(F32, left.get(FLOAT, x));
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            acquireFence();
            FloatVector x1 = broadcast(F32, left.get(FLOAT, x + 1 * LEFT_ROW));
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            acquireFence();
            FloatVector x2 = broadcast(F32, left.get(FLOAT, x + 2 * LEFT_ROW));
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            acquireFence();
            FloatVector x3 = broadcast(F32, left.get(FLOAT, x + 3 * LEFT_ROW));
            a3 = x3.fma(a, a3);
            b3 = x3.fma(b, b3);
            acquireFence();
            // For C2 to pass its limit of nodes in, and no code.
            fromMemorySegment(F32, panel, from, ORDER);
            fromMemorySegment(F32, panel, from, ORDER);
            fromMemorySegment(F32, panel, from, ORDER);
            fromMemorySegment(F32, panel, from, ORDER);
            fromMemorySegment(F32, panel, from, ORDER);
            fromMemorySegment(F32, panel, from, ORDER);
            fromMemorySegment(F32, panel, from, ORDER);
            FloatVector x4 = broadcast(F32, left.get(FLOAT, x + 4 * LEFT_ROW));
            a4 = x4.fma(a, a4);
            b4 = x4.fma(b, b4);
            acquireFence();
            FloatVector x5 = broadcast(F32, left.get(FLOAT, x + 5 * LEFT_ROW));
            a5 = x5.fma(a, a5);
            b5 = x5.fma(b, b5);
            acquireFence();

            FloatVector c = fromMemorySegment(F32, panel, from + PANEL_ROW, ORDER);
            FloatVector d = fromMemorySegment(F32, panel, from + PANEL_ROW + VECTOR, ORDER);
            FloatVector y0 = broadcast(F32, left.get(FLOAT, x + 4));
            a0 = y0.fma(c, a0);
            b0 = y0.fma(d, b0);
            acquireFence();
            FloatVector y1 = broadcast(F32, left.get(FLOAT, x + 4 + 1 * LEFT_ROW));
            a1 = y1.fma(c, a1);
            b1 = y1.fma(d, b1);
            acquireFence();
            FloatVector y2 = broadcast(F32, left.get(FLOAT, x + 4 + 2 * LEFT_ROW));
            a2 = y2.fma(c, a2);
            b2 = y2.fma(d, b2);
            acquireFence();
            FloatVector y3 = broadcast(F32, left.get(FLOAT, x + 4 + 3 * LEFT_ROW));
            a3 = y3.fma(c, a3);
            b3 = y3.fma(d, b3);
            acquireFence();
            FloatVector y4 = broadcast(F32, left.get(FLOAT, x + 4 + 4 * LEFT_ROW));
            a4 = y4.fma(c, a4);
            b4 = y4.fma(d, b4);
            acquireFence();
            FloatVector y5 = broadcast(F32, left.get(FLOAT, x + 4 + 5 * LEFT_ROW));
            a5 = y5.fma(c, a5);
            b5 = y5.fma(d, b5);
            acquireFence();
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
        a5.intoMemorySegment(sums, 5 * PANEL_ROW, ORDER);
        b5.intoMemorySegment(sums, 5 * PANEL_ROW + VECTOR, ORDER);
    }
}

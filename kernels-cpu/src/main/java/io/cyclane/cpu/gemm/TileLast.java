package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.Tiles.LEFT_ROW;
import static io.cyclane.cpu.gemm.Tiles.PANEL_ROW;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The last of an odd count of inputs, for any rows by two vectors: what {@link Tile6Few}, which
 * takes inputs in pairs, leaves. In its code this would be more than C2 inlines.
 */
final class TileLast {
    private TileLast() {}

    /**
     * Adds one input's products to the sums.
     *
     * @param leftAt where it lies in the first row
     * @param panelAt where its row of the panel lies
     */
    static void run(
            int rows,
            MemorySegment scratch,
            long leftAt,
            MemorySegment panels,
            long panelAt,
            long sumsAt) {
        MemorySegment left = Window.of(scratch, leftAt, (rows - 1) * LEFT_ROW + Float.BYTES);
        MemorySegment panel = Window.of(panels, panelAt, 2 * VECTOR);
        MemorySegment sums = Window.of(scratch, sumsAt, (rows - 1) * PANEL_ROW + 2 * VECTOR);
        FloatVector a = fromMemorySegment(F32, panel, 0, ORDER);
        FloatVector b = fromMemorySegment(F32, panel, VECTOR, ORDER);
        for (int row = 0; row < rows; row++) {
            FloatVector x = broadcast(F32, left.get(FLOAT, row * LEFT_ROW));
            long at = row * PANEL_ROW;
            x.fma(a, fromMemorySegment(F32, sums, at, ORDER)).intoMemorySegment(sums, at, ORDER);
            x.fma(b, fromMemorySegment(F32, sums, at + VECTOR, ORDER))
                    .intoMemorySegment(sums, at + VECTOR, ORDER);
        }
    }
}

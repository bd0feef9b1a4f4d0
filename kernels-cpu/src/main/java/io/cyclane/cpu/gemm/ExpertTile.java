package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Products of one row with the factors of one expert, packed by {@link ExpertPacking}. Every sum is
 * a chain of fused multiply-adds in ascending order, whatever the vector width.
 */
final class ExpertTile {
    private ExpertTile() {}

    /**
     * One panel's row of sums and an update of them: {@code to = from + factors . panel}.
     *
     * @param fromAt of a row of {@value PanelPacking#WIDTH} sums; {@code toAt} may be the same
     * @param factorsAt of {@code rank} numbers
     * @param panelAt of {@code rank} rows
     */
    static void outputs(
            MemorySegment scratch,
            long fromAt,
            long toAt,
            long factorsAt,
            int rank,
            MemorySegment panels,
            long panelAt) {
        MemorySegment factors = scratch.asSlice(factorsAt, 4L * rank);
        MemorySegment panel = panels.asSlice(panelAt, rank * ROW_BYTES);
        for (long at = 0; at < ROW_BYTES; at += 2 * VECTOR) {
            FloatVector a = fromMemorySegment(F32, scratch, fromAt + at, ORDER);
            FloatVector b = fromMemorySegment(F32, scratch, fromAt + at + VECTOR, ORDER);
            for (int k = 0; k < rank; k++) {
                FloatVector x = broadcast(F32, factors.get(FLOAT, 4L * k));
                a = x.fma(fromMemorySegment(F32, panel, k * ROW_BYTES + at, ORDER), a);
                b = x.fma(fromMemorySegment(F32, panel, k * ROW_BYTES + at + VECTOR, ORDER), b);
            }
            a.intoMemorySegment(scratch, toAt + at, ORDER);
            b.intoMemorySegment(scratch, toAt + at + VECTOR, ORDER);
        }
    }

    /**
     * Adds to {@code rankBytes} of sums what sixteen inputs give: {@code sums += x . rows}.
     *
     * @param xAt of the sixteen inputs
     * @param rowsAt of the sixteen rows, each as long as the sums
     */
    static void inputs(
            MemorySegment scratch,
            long xAt,
            long sumsAt,
            long rankBytes,
            MemorySegment factors,
            long rowsAt) {
        MemorySegment x = scratch.asSlice(xAt, 4L * ExpertPacking.INPUTS_WIDTH);
        MemorySegment rows = factors.asSlice(rowsAt, ExpertPacking.INPUTS_WIDTH * rankBytes);
        for (long at = 0; at < rankBytes; at += VECTOR) {
            FloatVector sums = fromMemorySegment(F32, scratch, sumsAt + at, ORDER);
            for (int k = 0; k < ExpertPacking.INPUTS_WIDTH; k++) {
                FloatVector each = broadcast(F32, x.get(FLOAT, 4L * k));
                sums = each.fma(fromMemorySegment(F32, rows, k * rankBytes + at, ORDER), sums);
            }
            sums.intoMemorySegment(scratch, sumsAt + at, ORDER);
        }
    }
}

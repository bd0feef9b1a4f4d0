package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.math.GeluRows;
import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;

/**
 * Activations over rows of sums, in place.
 *
 * <p>One method each, so that every loop holds one known function: chosen inside the loop, the
 * vectors would pass through memory. One flat loop each: a loop over the two vectors of a row costs
 * more than what it does.
 */
final class EpilogueMath {
    private EpilogueMath() {}

    /** Applies an activation to the first {@code columns}, 16 or 32, of each row. */
    static void apply(
            Activation activation, MemorySegment sums, long sumsAt, int rows, int columns) {
        int perRow = Integer.numberOfTrailingZeros(columns / COUNT);
        int count = rows << perRow;
        switch (activation) {
            case IDENTITY -> {}
            case GELU -> GeluRows.apply(sums, sumsAt, count, perRow, ROW_BYTES);
            case GELU_TANH -> geluTanh(sums, sumsAt, count, perRow);
            case SILU -> silu(sums, sumsAt, count, perRow);
            case RELU -> relu(sums, sumsAt, count, perRow);
            case TANH -> tanh(sums, sumsAt, count, perRow);
        }
    }

    /** {@return where vector i lies, of {@code 1 << perRow} vectors a row} */
    private static long at(long sumsAt, int i, int perRow) {
        int row = i >> perRow;
        return sumsAt + row * ROW_BYTES + (i - (row << perRow)) * (4L * COUNT);
    }

    private static void geluTanh(MemorySegment sums, long sumsAt, int count, int perRow) {
        for (int i = 0; i < count; i++) {
            long at = at(sumsAt, i, perRow);
            VectorMath.geluTanh(fromMemorySegment(F32, sums, at, ORDER))
                    .intoMemorySegment(sums, at, ORDER);
        }
    }

    private static void silu(MemorySegment sums, long sumsAt, int count, int perRow) {
        for (int i = 0; i < count; i++) {
            long at = at(sumsAt, i, perRow);
            VectorMath.silu(fromMemorySegment(F32, sums, at, ORDER))
                    .intoMemorySegment(sums, at, ORDER);
        }
    }

    private static void relu(MemorySegment sums, long sumsAt, int count, int perRow) {
        for (int i = 0; i < count; i++) {
            long at = at(sumsAt, i, perRow);
            fromMemorySegment(F32, sums, at, ORDER).max(0f).intoMemorySegment(sums, at, ORDER);
        }
    }

    private static void tanh(MemorySegment sums, long sumsAt, int count, int perRow) {
        for (int i = 0; i < count; i++) {
            long at = at(sumsAt, i, perRow);
            VectorMath.tanh(fromMemorySegment(F32, sums, at, ORDER))
                    .intoMemorySegment(sums, at, ORDER);
        }
    }
}

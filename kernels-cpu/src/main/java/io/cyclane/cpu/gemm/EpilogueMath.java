package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;

/**
 * Activations over rows of sums, in place.
 *
 * <p>One method each, so that every loop holds one known function: chosen inside the loop, the
 * vectors would pass through memory.
 */
final class EpilogueMath {
    private EpilogueMath() {}

    /** Applies an activation to the first {@code columns}, 16 or 32, of each row. */
    static void apply(
            Activation activation, MemorySegment sums, long sumsAt, int rows, int columns) {
        switch (activation) {
            case IDENTITY -> {}
            case GELU -> gelu(sums, sumsAt, rows, columns);
            case GELU_TANH -> geluTanh(sums, sumsAt, rows, columns);
            case SILU -> silu(sums, sumsAt, rows, columns);
            case RELU -> relu(sums, sumsAt, rows, columns);
            case TANH -> tanh(sums, sumsAt, rows, columns);
        }
    }

    private static void gelu(MemorySegment sums, long sumsAt, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += COUNT) {
                long at = sumsAt + row * ROW_BYTES + 4L * column;
                VectorMath.gelu(fromMemorySegment(F32, sums, at, ORDER))
                        .intoMemorySegment(sums, at, ORDER);
            }
        }
    }

    private static void geluTanh(MemorySegment sums, long sumsAt, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += COUNT) {
                long at = sumsAt + row * ROW_BYTES + 4L * column;
                VectorMath.geluTanh(fromMemorySegment(F32, sums, at, ORDER))
                        .intoMemorySegment(sums, at, ORDER);
            }
        }
    }

    private static void silu(MemorySegment sums, long sumsAt, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += COUNT) {
                long at = sumsAt + row * ROW_BYTES + 4L * column;
                VectorMath.silu(fromMemorySegment(F32, sums, at, ORDER))
                        .intoMemorySegment(sums, at, ORDER);
            }
        }
    }

    private static void relu(MemorySegment sums, long sumsAt, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += COUNT) {
                long at = sumsAt + row * ROW_BYTES + 4L * column;
                fromMemorySegment(F32, sums, at, ORDER).max(0f).intoMemorySegment(sums, at, ORDER);
            }
        }
    }

    private static void tanh(MemorySegment sums, long sumsAt, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column += COUNT) {
                long at = sumsAt + row * ROW_BYTES + 4L * column;
                VectorMath.tanh(fromMemorySegment(F32, sums, at, ORDER))
                        .intoMemorySegment(sums, at, ORDER);
            }
        }
    }
}

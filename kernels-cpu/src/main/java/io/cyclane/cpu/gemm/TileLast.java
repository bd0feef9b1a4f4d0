package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;
import static io.cyclane.cpu.gemm.Tiles.VECTOR;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The last of an odd count of inputs, for any rows by two vectors: what {@link Tile6Few} and
 * attention's tiles, which take inputs in pairs, leave. In their code this would be more than C2
 * inlines.
 */
public final class TileLast {
    private TileLast() {}

    /**
     * Adds one input's products to the sums.
     *
     * @param scratch holds the left side and the sums
     * @param leftAt where it lies in the first row, {@code leftRow} bytes from that of the second
     * @param rightAt where the two vectors lie that it multiplies
     * @param sumsAt where the first row's sums lie, {@code sumsRow} bytes from the second's
     */
    public static void run(
            int rows,
            MemorySegment scratch,
            long leftAt,
            long leftRow,
            MemorySegment right,
            long rightAt,
            long sumsAt,
            long sumsRow) {
        MemorySegment left = Window.of(scratch, leftAt, (rows - 1) * leftRow + Float.BYTES);
        MemorySegment pair = Window.of(right, rightAt, 2 * VECTOR);
        MemorySegment sums = Window.of(scratch, sumsAt, (rows - 1) * sumsRow + 2 * VECTOR);
        FloatVector a = fromMemorySegment(F32, pair, 0, ORDER);
        FloatVector b = fromMemorySegment(F32, pair, VECTOR, ORDER);
        for (int row = 0; row < rows; row++) {
            FloatVector x = broadcast(F32, left.get(FLOAT, row * leftRow));
            long at = row * sumsRow;
            x.fma(a, fromMemorySegment(F32, sums, at, ORDER)).intoMemorySegment(sums, at, ORDER);
            x.fma(b, fromMemorySegment(F32, sums, at + VECTOR, ORDER))
                    .intoMemorySegment(sums, at + VECTOR, ORDER);
        }
    }
}

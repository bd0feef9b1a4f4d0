package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.MolGeGluRows.HALF;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The loops of {@link MolGeGluRows} over the sums of choices, {@value PanelPacking#WIDTH} F32 each:
 * position i among {@link ExpertGroups} belongs to row {@code rows[i]} of the block.
 */
final class ChoiceRows {
    private ChoiceRows() {}

    /** Clears the first half of a panel's columns in rows of a {@link LeftBlock}. */
    static void clearHalf(MemorySegment scratch, long to, int rows) {
        FloatVector zero = FloatVector.zero(F32);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < HALF; column += COUNT) {
                long at = to + row * LeftBlock.ROW_BYTES + 4L * column;
                zero.intoMemorySegment(scratch, at, ORDER);
            }
        }
    }

    /** Copies the rows of sums of some choices one after the other. */
    static void copy(
            MemorySegment scratch, long sumsAt, int[] rows, int first, int count, long to) {
        for (int i = 0; i < count; i++) {
            long from = sumsAt + rows[first + i] * ROW_BYTES;
            for (int column = 0; column < WIDTH; column += COUNT) {
                fromMemorySegment(F32, scratch, from + 4L * column, ORDER)
                        .intoMemorySegment(scratch, to + i * ROW_BYTES + 4L * column, ORDER);
            }
        }
    }

    /**
     * Gates the halves of choices, keeps what comes out, and adds it to the rows, times a gate.
     *
     * @param valuesAt where it is kept, a row of a {@link LeftBlock} for each choice
     * @param hiddenAt where it is added, a row of a {@link LeftBlock} for each row
     */
    static void mix(
            MemorySegment scratch,
            long eachAt,
            int first,
            int count,
            int[] rows,
            float[] gates,
            long valuesAt,
            long hiddenAt) {
        for (int i = 0; i < count; i++) {
            int position = first + i;
            FloatVector gate = broadcast(F32, gates[position]);
            for (int column = 0; column < HALF; column += COUNT) {
                long from = eachAt + i * ROW_BYTES + 4L * column;
                FloatVector z =
                        fromMemorySegment(F32, scratch, from, ORDER)
                                .mul(fromMemorySegment(F32, scratch, from + ROW_BYTES / 2, ORDER));
                long kept = valuesAt + position * LeftBlock.ROW_BYTES + 4L * column;
                z.intoMemorySegment(scratch, kept, ORDER);
                long to = hiddenAt + rows[position] * LeftBlock.ROW_BYTES + 4L * column;
                gate.fma(z, fromMemorySegment(F32, scratch, to, ORDER))
                        .intoMemorySegment(scratch, to, ORDER);
            }
        }
    }

    /** Adds rows of choices to the sums of their rows. */
    static void add(
            MemorySegment scratch, long eachAt, int first, int count, int[] rows, long sumsAt) {
        for (int i = 0; i < count; i++) {
            long from = eachAt + i * ROW_BYTES;
            long to = sumsAt + rows[first + i] * ROW_BYTES;
            for (int column = 0; column < WIDTH; column += COUNT) {
                fromMemorySegment(F32, scratch, to + 4L * column, ORDER)
                        .add(fromMemorySegment(F32, scratch, from + 4L * column, ORDER))
                        .intoMemorySegment(scratch, to + 4L * column, ORDER);
            }
        }
    }

    /** Adds so many sums to others. */
    static void addAll(MemorySegment scratch, long from, long to, int count) {
        for (int i = 0; i < count; i += COUNT) {
            fromMemorySegment(F32, scratch, to + 4L * i, ORDER)
                    .add(fromMemorySegment(F32, scratch, from + 4L * i, ORDER))
                    .intoMemorySegment(scratch, to + 4L * i, ORDER);
        }
    }
}

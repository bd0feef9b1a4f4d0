package io.cyclane.cpu.pooling;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import io.cyclane.tensor.op.Pool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * One row per sequence: the mean of its rows, its first, or its own.
 *
 * <p>x is [T, D], or [S, D] where it has a row for each sequence, offsets I32 [S + 1], y is [S, D]
 * and does not overlap x. A column is summed from the sequence's first row to its last, one after
 * the other, and divided by their number. A sequence of no tokens gives zeros.
 */
public final class PoolKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    /** Columns of a piece of work. */
    private static final int COLUMNS = 256;

    private final Place x;
    private final Place offsets;
    private final Place y;
    private final Count sequences;
    private final int width;
    private final Pool.Kind kind;
    private final int columnBlocks;
    private final Workers workers;
    private final Workers.Task piece = this::piece;
    private final Workers.Task scalarPiece = this::scalarPiece;

    /** Binds the kernel. */
    public PoolKernel(
            Place x,
            Place offsets,
            Place y,
            Count sequences,
            int width,
            Pool.Kind kind,
            Workers workers) {
        this.x = x;
        this.offsets = offsets;
        this.y = y;
        this.sequences = sequences;
        this.width = width;
        this.kind = kind;
        this.columnBlocks = (width + COLUMNS - 1) / COLUMNS;
        this.workers = workers;
    }

    @Override
    public void run() {
        workers.run(piece, sequences.value() * columnBlocks);
    }

    @Override
    public void runScalar() {
        workers.run(scalarPiece, sequences.value() * columnBlocks);
    }

    private void piece(int index, int worker) {
        int sequence = index / columnBlocks;
        int column = (index - sequence * columnBlocks) * COLUMNS;
        int columns = Math.min(COLUMNS, width - column);
        int first = offsets.segment().get(INT, offsets.offset() + 4L * sequence);
        int end = offsets.segment().get(INT, offsets.offset() + 4L * sequence + 4);
        long to = y.offset() + 4L * ((long) sequence * width + column);
        switch (kind) {
            case MEAN -> mean(at(first, column), end - first, to, columns);
            case CLS -> copy(at(first, column), end - first, to, columns);
            case OWN -> copy(at(sequence, column), end - first, to, columns);
        }
    }

    private long at(int row, int column) {
        return x.offset() + 4L * ((long) row * width + column);
    }

    private void copy(long from, int rows, long to, int columns) {
        if (rows > 0) {
            Window.copy(x.segment(), from, y.segment(), to, 4L * columns);
            return;
        }
        for (int i = 0; i < columns; i++) {
            y.segment().set(FLOAT, to + 4L * i, 0f);
        }
    }

    private void mean(long from, int rows, long to, int columns) {
        MemorySegment s = rows(from, rows, columns);
        MemorySegment t = Window.of(y.segment(), to, 4L * columns);
        float divisor = Math.max(1, rows);
        int i = 0;
        for (; i <= columns - 4 * L; i += 4 * L) {
            fourSums(from + 4L * i, rows, divisor, to + 4L * i);
        }
        for (; i <= columns - L; i += L) {
            sum(from + 4L * i, rows, divisor, to + 4L * i);
        }
        for (; i < columns; i++) {
            float sum = 0f;
            for (int row = 0; row < rows; row++) {
                sum += s.get(FLOAT, 4L * ((long) row * width + i));
            }
            t.set(FLOAT, 4L * i, sum / divisor);
        }
    }

    /** {@return the part of x with so many columns of so many rows} */
    private MemorySegment rows(long from, int rows, int columns) {
        long bytes = rows == 0 ? 0 : 4L * ((long) (rows - 1) * width + columns);
        return Window.of(x.segment(), from, bytes);
    }

    private void fourSums(long from, int rows, float divisor, long to) {
        MemorySegment s = rows(from, rows, 4 * L);
        MemorySegment t = Window.of(y.segment(), to, 16L * L);
        FloatVector sum0 = FloatVector.zero(F32);
        FloatVector sum1 = FloatVector.zero(F32);
        FloatVector sum2 = FloatVector.zero(F32);
        FloatVector sum3 = FloatVector.zero(F32);
        for (int row = 0; row < rows; row++) {
            long at = 4L * row * width;
            sum0 = sum0.add(FloatVector.fromMemorySegment(F32, s, at, ORDER));
            sum1 = sum1.add(FloatVector.fromMemorySegment(F32, s, at + 4L * L, ORDER));
            sum2 = sum2.add(FloatVector.fromMemorySegment(F32, s, at + 8L * L, ORDER));
            sum3 = sum3.add(FloatVector.fromMemorySegment(F32, s, at + 12L * L, ORDER));
        }
        sum0.div(divisor).intoMemorySegment(t, 0, ORDER);
        sum1.div(divisor).intoMemorySegment(t, 4L * L, ORDER);
        sum2.div(divisor).intoMemorySegment(t, 8L * L, ORDER);
        sum3.div(divisor).intoMemorySegment(t, 12L * L, ORDER);
    }

    private void sum(long from, int rows, float divisor, long to) {
        MemorySegment s = rows(from, rows, L);
        FloatVector sum = FloatVector.zero(F32);
        for (int row = 0; row < rows; row++) {
            sum = sum.add(FloatVector.fromMemorySegment(F32, s, 4L * row * width, ORDER));
        }
        sum.div(divisor).intoMemorySegment(y.segment(), to, ORDER);
    }

    private void scalarPiece(int index, int worker) {
        if (kind != Pool.Kind.MEAN) {
            piece(index, worker); // which takes no vectors
            return;
        }
        int sequence = index / columnBlocks;
        int column = (index - sequence * columnBlocks) * COLUMNS;
        int columns = Math.min(COLUMNS, width - column);
        int first = offsets.segment().get(INT, offsets.offset() + 4L * sequence);
        int end = offsets.segment().get(INT, offsets.offset() + 4L * sequence + 4);
        float[] sums = new float[columns];
        float[] values = new float[columns];
        for (int row = first; row < end; row++) {
            long from = x.offset() + 4L * ((long) row * width + column);
            Floats.read(x.segment(), from, values, 0, columns);
            for (int i = 0; i < columns; i++) {
                sums[i] += values[i];
            }
        }
        float divisor = Math.max(1, end - first);
        for (int i = 0; i < columns; i++) {
            sums[i] /= divisor;
        }
        long to = y.offset() + 4L * ((long) sequence * width + column);
        Floats.write(sums, 0, columns, y.segment(), to);
    }
}

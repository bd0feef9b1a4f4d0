package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.gemm.PanelPacking.ROW_BYTES;
import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.Floats;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * What happens to the sums of one panel: they start from the bias, and when complete they go
 * through the activation, the gate and the residual into the result.
 *
 * <p>The sums are rows of one panel's width, {@value PanelPacking#WIDTH} F32, near in the cache;
 * each step is one pass over them. Columns of padding take part in all but the last.
 */
final class Epilogue {
    private static final float[] ZEROS = new float[WIDTH];

    private final @Nullable Place bias;
    private final Activation activation;
    private final boolean gated;
    private final @Nullable Place residual;
    private final Place[] results;
    private final int columns;
    private final int partColumns;
    private final int panelColumns;

    /**
     * What follows a product.
     *
     * @param bias F32 of every output, or null for zeros
     * @param gated whether the panels are paired, and the result half as wide
     * @param residual F32 {@code [rows, columns]} that is added, or null; only with one result,
     *     whose memory it may be
     * @param results the equal column parts of the result, each F32 row-major; none if only {@link
     *     #finishInto} is called
     * @param columns the columns of all parts together
     */
    Epilogue(
            @Nullable Place bias,
            Activation activation,
            boolean gated,
            @Nullable Place residual,
            Place[] results,
            int columns) {
        this.bias = bias;
        this.activation = activation;
        this.gated = gated;
        this.residual = residual;
        this.results = results;
        this.columns = columns;
        partColumns = columns / Math.max(1, results.length);
        panelColumns = gated ? WIDTH / 2 : WIDTH;
    }

    /** Writes the rows that the sums of a panel's tiles start from: the bias, or zeros. */
    void start(MemorySegment sums, long startAt, int panel) {
        int first = panel * panelColumns;
        int count = Math.min(panelColumns, columns - first);
        Floats.write(ZEROS, 0, WIDTH, sums, startAt);
        for (int run = 0; bias != null && run < WIDTH / panelColumns; run++) {
            long from = bias.offset() + 4L * (run * columns + first);
            long to = startAt + 4L * run * panelColumns;
            Window.copy(bias.segment(), from, sums, to, 4L * count);
        }
        MemorySegment rows = Window.of(sums, startAt, Tiles.ROWS * ROW_BYTES);
        for (int column = 0; column < WIDTH; column += COUNT) {
            long at = 4L * column;
            FloatVector values = fromMemorySegment(F32, rows, at, ORDER);
            for (int row = 1; row < Tiles.ROWS; row++) {
                values.intoMemorySegment(rows, at + row * ROW_BYTES, ORDER);
            }
        }
    }

    /** Turns complete sums into rows {@code firstRow} and on of the result. */
    void finish(MemorySegment sums, long sumsAt, int firstRow, int rows, int panel) {
        activate(sums, sumsAt, rows);
        int first = panel * panelColumns;
        int end = Math.min(first + panelColumns, columns);
        // A panel may lie across the border between two parts.
        for (int column = first; column < end; ) {
            int part = column / partColumns;
            int partEnd = Math.min(end, (part + 1) * partColumns);
            long element = (long) firstRow * partColumns + column - part * partColumns;
            Place result = results[part];
            long resultAt = result.offset() + 4L * element;
            long from = sumsAt + 4L * (column - first);
            int count = partEnd - column;
            long distance = 4L * partColumns;
            if (residual == null) {
                store(sums, from, rows, count, result.segment(), resultAt, distance);
            } else {
                long residualAt = residual.offset() + 4L * element;
                add(
                        sums,
                        from,
                        rows,
                        count,
                        residual.segment(),
                        residualAt,
                        result.segment(),
                        resultAt);
            }
            column = partEnd;
        }
    }

    /**
     * Turns complete sums of rows {@code row} and on into columns of a {@link LeftBlock} of {@code
     * blockRows} rows, the left side of the next product; for an epilogue without a residual.
     */
    void finishInto(
            MemorySegment block,
            long blockAt,
            int blockRows,
            MemorySegment sums,
            long sumsAt,
            int row,
            int rows,
            int panel) {
        activate(sums, sumsAt, rows);
        int first = panel * panelColumns;
        int count = Math.min(panelColumns, columns - first);
        long to = blockAt + LeftBlock.columnAt(first, blockRows) + row * LeftBlock.ROW_BYTES;
        store(sums, sumsAt, rows, count, block, to, LeftBlock.ROW_BYTES);
    }

    private void activate(MemorySegment sums, long sumsAt, int rows) {
        EpilogueMath.apply(activation, sums, sumsAt, rows, panelColumns);
        if (gated) {
            gate(sums, sumsAt, rows);
        }
    }

    /** Multiplies the first half of every row by the second. */
    private static void gate(MemorySegment sums, long sumsAt, int rows) {
        MemorySegment s = Window.of(sums, sumsAt, rows * ROW_BYTES);
        for (int row = 0; row < rows; row++) {
            long rowAt = row * ROW_BYTES;
            for (int column = 0; column < WIDTH / 2; column += COUNT) {
                long at = rowAt + 4L * column;
                FloatVector gates = fromMemorySegment(F32, s, at + ROW_BYTES / 2, ORDER);
                fromMemorySegment(F32, s, at, ORDER).mul(gates).intoMemorySegment(s, at, ORDER);
            }
        }
    }

    /**
     * Writes the sum of so many columns of rows of sums and those of the residual. Where there is a
     * mask a {@link Window} is of no use: it would be put on the heap.
     */
    private void add(
            MemorySegment sums,
            long sumsAt,
            int rows,
            int count,
            MemorySegment more,
            long moreAt,
            MemorySegment result,
            long resultAt) {
        long distance = 4L * partColumns;
        if (count == WIDTH) {
            addWhole(sums, sumsAt, rows, more, moreAt, result, resultAt, distance);
            return;
        }
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < count; column += COUNT) {
                VectorMask<Float> here = F32.indexInRange(column, count);
                long at = 4L * column;
                long from = sumsAt + row * ROW_BYTES + at;
                FloatVector added =
                        fromMemorySegment(F32, more, moreAt + row * distance + at, ORDER, here);
                fromMemorySegment(F32, sums, from, ORDER)
                        .add(added)
                        .intoMemorySegment(result, resultAt + row * distance + at, ORDER, here);
            }
        }
    }

    private static void addWhole(
            MemorySegment sums,
            long sumsAt,
            int rows,
            MemorySegment more,
            long moreAt,
            MemorySegment result,
            long resultAt,
            long distance) {
        for (int row = 0; row < rows; row++) {
            MemorySegment from = Window.of(sums, sumsAt + row * ROW_BYTES, ROW_BYTES);
            MemorySegment added = Window.of(more, moreAt + row * distance, ROW_BYTES);
            MemorySegment to = Window.of(result, resultAt + row * distance, ROW_BYTES);
            for (int column = 0; column < WIDTH; column += COUNT) {
                long at = 4L * column;
                fromMemorySegment(F32, from, at, ORDER)
                        .add(fromMemorySegment(F32, added, at, ORDER))
                        .intoMemorySegment(to, at, ORDER);
            }
        }
    }

    /** Copies so many columns of rows of sums to rows that lie {@code distance} bytes apart. */
    private static void store(
            MemorySegment sums,
            long sumsAt,
            int rows,
            int count,
            MemorySegment result,
            long resultAt,
            long distance) {
        if (count == WIDTH) {
            storeWhole(sums, sumsAt, rows, result, resultAt, distance);
        } else {
            storeSome(sums, sumsAt, rows, count, result, resultAt, distance);
        }
    }

    /** The inner loop has a constant count, so C2 unrolls it. */
    private static void storeWhole(
            MemorySegment sums,
            long sumsAt,
            int rows,
            MemorySegment result,
            long resultAt,
            long distance) {
        for (int row = 0; row < rows; row++) {
            MemorySegment from = Window.of(sums, sumsAt + row * ROW_BYTES, ROW_BYTES);
            MemorySegment to = Window.of(result, resultAt + row * distance, ROW_BYTES);
            for (int column = 0; column < WIDTH; column += COUNT) {
                fromMemorySegment(F32, from, 4L * column, ORDER)
                        .intoMemorySegment(to, 4L * column, ORDER);
            }
        }
    }

    private static void storeSome(
            MemorySegment sums,
            long sumsAt,
            int rows,
            int count,
            MemorySegment result,
            long resultAt,
            long distance) {
        int bound = F32.loopBound(count);
        VectorMask<Float> rest = F32.indexInRange(bound, count);
        for (int row = 0; row < rows; row++) {
            long from = sumsAt + row * ROW_BYTES;
            long to = resultAt + row * distance;
            int column = 0;
            for (; column < bound; column += COUNT) {
                fromMemorySegment(F32, sums, from + 4L * column, ORDER)
                        .intoMemorySegment(result, to + 4L * column, ORDER);
            }
            if (column < count) {
                fromMemorySegment(F32, sums, from + 4L * column, ORDER, rest)
                        .intoMemorySegment(result, to + 4L * column, ORDER, rest);
            }
        }
    }
}

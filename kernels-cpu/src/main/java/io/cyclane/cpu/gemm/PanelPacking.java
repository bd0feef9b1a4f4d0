package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Floats;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.host.Packing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A weight cut into panels of {@value #WIDTH} output features, each running over all input
 * features: {@code [outputs / 32][inputs][32]}, the last panel padded with zeros.
 *
 * <p>At every step of its inner loop the tile then reads one run of 128 bytes, whatever the vector
 * width: two vectors of 512 bits, or a half or quarter of the run at 256 and 128.
 *
 * <p>Paired panels serve products whose outputs are gated, {@code y = activation(a) * g} with a the
 * first half of the outputs and g the second: panel p holds columns {@code 16 p} to {@code 16 p +
 * 15} of a and then the same columns of g, so that both are at hand when the tile is done.
 */
public enum PanelPacking implements Packing {
    /** From rows of output features, {@code [outputs, inputs]}, as checkpoints store weights. */
    OUTPUT_ROWS(false, false),
    /** From rows of input features, {@code [inputs, outputs]}. */
    INPUT_ROWS(true, false),
    /** Paired panels from rows of output features; the count of outputs is even. */
    PAIRED_OUTPUT_ROWS(false, true),
    /** Paired panels from rows of input features; the count of outputs is even. */
    PAIRED_INPUT_ROWS(true, true);

    /** The output features of a panel. */
    public static final int WIDTH = 32;

    static final long ROW_BYTES = WIDTH * 4L;

    /** How many inputs are moved at a time: 32 rows of 512 bytes are read, 16 KB are written. */
    private static final int INPUTS_AT_A_TIME = 128;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final boolean inputRows;
    private final boolean paired;

    PanelPacking(boolean inputRows, boolean paired) {
        this.inputRows = inputRows;
        this.paired = paired;
    }

    /** {@return whether gated halves stand side by side} */
    public boolean isPaired() {
        return paired;
    }

    /** {@return how many panels hold this many outputs} */
    public static int panels(int outputs, boolean paired) {
        int columns = paired ? outputs / 2 : outputs;
        int columnsPerPanel = paired ? WIDTH / 2 : WIDTH;
        return Math.ceilDiv(columns, columnsPerPanel);
    }

    /** {@return the size in bytes of the panels of a weight} */
    public static long lengthBytes(int inputs, int outputs, boolean paired) {
        return panels(outputs, paired) * panelBytes(inputs);
    }

    /** {@return the size in bytes of one panel} */
    static long panelBytes(int inputs) {
        return inputs * ROW_BYTES;
    }

    @Override
    public String layout() {
        return (paired ? "paired-panels16+16" : "panels32") + (inputRows ? "-of-input-rows" : "");
    }

    @Override
    public long lengthBytes(Shape shape) {
        check(shape);
        return lengthBytes(inputs(shape), outputs(shape), paired);
    }

    @Override
    public void pack(MemorySegment rows, Shape shape, MemorySegment packed) {
        check(shape);
        int inputs = inputs(shape);
        int outputs = outputs(shape);
        for (int panel = 0; panel < panels(outputs, paired); panel++) {
            packPanel(rows, 0, inputs, outputs, panel, packed, panel * panelBytes(inputs));
        }
    }

    /** Writes one panel of the weight at {@code rowsAt} bytes to {@code packedAt}. */
    void packPanel(
            MemorySegment rows,
            long rowsAt,
            int inputs,
            int outputs,
            int panel,
            MemorySegment packed,
            long packedAt) {
        int columnsPerRun = paired ? WIDTH / 2 : WIDTH;
        int columns = paired ? outputs / 2 : outputs;
        int first = panel * columnsPerRun;
        int count = Math.min(columnsPerRun, columns - first);
        if (!inputRows) {
            long at = rowsAt + 4L * first * inputs;
            turnPanel(rows, at, inputs, columns, columnsPerRun, count, packed, packedAt);
            return;
        }
        for (int run = 0; run < WIDTH / columnsPerRun; run++) {
            int from = run * columns + first;
            long to = packedAt + run * columnsPerRun * 4L;
            copyColumns(rows, rowsAt, inputs, outputs, from, count, packed, to);
            padColumns(packed, to + 4L * count, inputs, columnsPerRun - count);
        }
    }

    private static void copyColumns(
            MemorySegment rows,
            long rowsAt,
            int inputs,
            int outputs,
            int from,
            int count,
            MemorySegment packed,
            long to) {
        for (int k = 0; k < inputs; k++) {
            long source = rowsAt + 4L * ((long) k * outputs + from);
            MemorySegment.copy(rows, source, packed, to + k * ROW_BYTES, 4L * count);
        }
    }

    /**
     * A panel out of rows of output features, one run after the other, {@code apart} rows from each
     * other.
     *
     * <p>Through arrays: the first weight of a process is packed by code that is not compiled yet,
     * which reaches an array a hundred times faster than a segment.
     */
    private static void turnPanel(
            MemorySegment rows,
            long rowsAt,
            int inputs,
            int apart,
            int columnsPerRun,
            int count,
            MemorySegment packed,
            long packedAt) {
        float[] row = new float[INPUTS_AT_A_TIME];
        float[] turned = new float[INPUTS_AT_A_TIME * WIDTH];
        for (int k = 0; k < inputs; k += INPUTS_AT_A_TIME) {
            int n = Math.min(INPUTS_AT_A_TIME, inputs - k);
            for (int run = 0; run < WIDTH / columnsPerRun; run++) {
                for (int column = 0; column < count; column++) {
                    long source = ((long) run * apart + column) * inputs + k;
                    Floats.read(rows, rowsAt + 4 * source, row, 0, n);
                    spread(row, n, turned, run * columnsPerRun + column);
                }
            }
            Floats.write(turned, 0, n * WIDTH, packed, packedAt + k * ROW_BYTES);
        }
    }

    /**
     * Writes a row of inputs down a column of a panel, four at a time: what C1 compiles, which
     * counts every turn of a loop, packs half of a small model.
     */
    private static void spread(float[] row, int n, float[] turned, int column) {
        int i = 0;
        for (int to = column; i + 4 <= n; i += 4, to += 4 * WIDTH) {
            turned[to] = row[i];
            turned[to + WIDTH] = row[i + 1];
            turned[to + 2 * WIDTH] = row[i + 2];
            turned[to + 3 * WIDTH] = row[i + 3];
        }
        for (; i < n; i++) {
            turned[i * WIDTH + column] = row[i];
        }
    }

    private static void padColumns(MemorySegment packed, long to, int inputs, int count) {
        for (int k = 0; k < inputs; k++) {
            for (int column = 0; column < count; column++) {
                packed.set(FLOAT, to + k * ROW_BYTES + 4L * column, 0f);
            }
        }
    }

    private void check(Shape shape) {
        if (shape.rank() != 2) {
            throw new IllegalArgumentException(layout() + ": wanted a matrix, not " + shape);
        }
        if (paired && outputs(shape) % 2 != 0) {
            throw new IllegalArgumentException(
                    layout() + ": the outputs must be even to be halved: " + shape);
        }
    }

    private int inputs(Shape shape) {
        return shape.extent(inputRows ? 0 : 1).bound();
    }

    private int outputs(Shape shape) {
        return shape.extent(inputRows ? 1 : 0).bound();
    }
}

package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Floats;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Packing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

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

    /** How many inputs are turned at a time: 16 KB are written. */
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
    public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
        check(shape);
        int outputs = outputs(shape);
        packPanels(weight, inputs(shape), outputs, 0, panels(outputs, paired), packed, 0);
    }

    /** Writes panels {@code first} to {@code end} of a weight to {@code packedAt} bytes and on. */
    void packPanels(
            WeightReader weight,
            int inputs,
            int outputs,
            int first,
            int end,
            MemorySegment packed,
            long packedAt) {
        if (inputRows) {
            packInputRows(weight, inputs, outputs, first, end, packed, packedAt);
            return;
        }
        // The rows of one panel stay in the second cache until they are turned.
        float[] rows = Floats.array(Floats.Use.LEFT, WIDTH * inputs);
        for (int panel = first; panel < end; panel++) {
            int count = columns(panel, outputs);
            for (int run = 0; run < runs(); run++) {
                long from = (long) firstColumn(panel, run, outputs) * inputs;
                weight.read(from, rows, run * runWidth() * inputs, count * inputs);
            }
            turnPanel(rows, inputs, count, packed, packedAt + (panel - first) * panelBytes(inputs));
        }
    }

    /** A row after the other, of each run the columns of all panels at once. */
    private void packInputRows(
            WeightReader weight,
            int inputs,
            int outputs,
            int first,
            int end,
            MemorySegment packed,
            long packedAt) {
        int width = (end - 1 - first) * runWidth() + columns(end - 1, outputs);
        float[] row = Floats.array(Floats.Use.LEFT, width);
        for (int k = 0; k < inputs; k++) {
            for (int run = 0; run < runs(); run++) {
                weight.read((long) k * outputs + firstColumn(first, run, outputs), row, 0, width);
                long to = packedAt + k * ROW_BYTES + 4L * run * runWidth();
                for (int panel = first; panel < end; panel++, to += panelBytes(inputs)) {
                    int count = columns(panel, outputs);
                    Floats.write(row, (panel - first) * runWidth(), count, packed, to);
                    for (int column = count; column < runWidth(); column++) {
                        packed.set(FLOAT, to + 4L * column, 0f);
                    }
                }
            }
        }
    }

    /** {@return how many runs of columns a panel is made of} */
    private int runs() {
        return paired ? 2 : 1;
    }

    private int runWidth() {
        return WIDTH / runs();
    }

    /** {@return the output feature that a run of a panel begins with} */
    private int firstColumn(int panel, int run, int outputs) {
        return run * (outputs / runs()) + panel * runWidth();
    }

    /** {@return how many columns of a panel's runs are features, and no padding} */
    private int columns(int panel, int outputs) {
        return Math.min(runWidth(), outputs / runs() - panel * runWidth());
    }

    /**
     * Writes a panel out of rows of output features, the {@code count} rows of a run after those of
     * the other.
     *
     * <p>Through arrays: the first weight of a process is packed by code that is not compiled yet,
     * which reaches an array a hundred times faster than a segment.
     */
    private void turnPanel(
            float[] rows, int inputs, int count, MemorySegment packed, long packedAt) {
        float[] turned = Floats.array(Floats.Use.PANEL, INPUTS_AT_A_TIME * WIDTH);
        if (count < runWidth()) {
            Arrays.fill(turned, 0, INPUTS_AT_A_TIME * WIDTH, 0f);
        }
        for (int k = 0; k < inputs; k += INPUTS_AT_A_TIME) {
            int n = Math.min(INPUTS_AT_A_TIME, inputs - k);
            for (int run = 0; run < WIDTH; run += runWidth()) {
                for (int column = run; column < run + count; column++) {
                    spread(rows, column * inputs + k, n, turned, column);
                }
            }
            Floats.write(turned, 0, n * WIDTH, packed, packedAt + k * ROW_BYTES);
        }
    }

    /**
     * Writes a row of inputs down a column of a panel, four at a time: what C1 compiles, which
     * counts every turn of a loop, packs half of a small model.
     */
    private static void spread(float[] row, int from, int n, float[] turned, int column) {
        int i = from;
        int end = from + n;
        int to = column;
        for (; i + 4 <= end; i += 4, to += 4 * WIDTH) {
            turned[to] = row[i];
            turned[to + WIDTH] = row[i + 1];
            turned[to + 2 * WIDTH] = row[i + 2];
            turned[to + 3 * WIDTH] = row[i + 3];
        }
        for (; i < end; i++, to += WIDTH) {
            turned[to] = row[i];
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

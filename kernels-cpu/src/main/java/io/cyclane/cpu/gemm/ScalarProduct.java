package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.gemm.PanelPacking.WIDTH;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.activation.ScalarActivation;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The scalar twin of {@link PanelProduct} with its {@link Epilogue}: each sum starts from the bias
 * and takes the inputs in ascending order, one fused multiply-add each.
 *
 * <p>A piece is one panel for all rows: some GFLOP/s, from the first tenth of a second on. Of the
 * panel only a few inputs' weights are copied at a time, which stay in the first cache until every
 * row has had them.
 */
final class ScalarProduct implements Workers.Task {
    /** Rows that are read at a time. */
    private static final int ROWS = 16;

    /** Inputs whose weights are read at a time: 16 KB of them. */
    private static final int INPUTS = 128;

    private final Workers workers;
    private final Place x;
    private final Place panels;
    private final int inputs;
    private final @Nullable Place bias;
    private final Activation activation;
    private final boolean gated;
    private final @Nullable Place residual;
    private final List<Place> results;
    private final int columns;
    private final int partColumns;
    private final int panelColumns;
    private int rows;
    private int firstIn;
    private int firstOut;

    /**
     * A layer on x.
     *
     * @param results where they go, since not every layer says so
     */
    ScalarProduct(Workers workers, Place x, LinearKernel.Layer layer, List<Place> results) {
        this.workers = workers;
        this.x = x;
        panels = layer.panels();
        inputs = layer.form().inputs();
        bias = layer.bias();
        activation = layer.form().activation();
        gated = layer.form().gated();
        residual = layer.residual();
        this.results = results;
        columns = layer.form().columns();
        partColumns = columns / results.size();
        panelColumns = gated ? WIDTH / 2 : WIDTH;
    }

    /** Computes the first {@code count} rows of the result. */
    void run(int count) {
        run(0, 0, count);
    }

    /** Computes rows {@code out} and on of the result from rows {@code in} and on of x. */
    void run(int in, int out, int count) {
        rows = count;
        firstIn = in;
        firstOut = out;
        if (count > 0) {
            workers.run(this, Math.ceilDiv(columns, panelColumns));
        }
    }

    @Override
    public void piece(int panel, int worker) {
        long panelAt = panels.offset() + panel * PanelPacking.panelBytes(inputs);
        float[] start = start(panel);
        int mostRows = Math.min(ROWS, rows);
        float[] left = Floats.array(Floats.Use.LEFT, mostRows * inputs);
        float[] weights = Floats.array(Floats.Use.PANEL, Math.min(INPUTS, inputs) * WIDTH);
        float[][] sums = new float[mostRows][];
        for (int first = 0; first < rows; first += ROWS) {
            int count = Math.min(ROWS, rows - first);
            long from = x.offset() + 4L * (firstIn + first) * inputs;
            Floats.read(x.segment(), from, left, 0, count * inputs);
            for (int row = 0; row < count; row++) {
                sums[row] = start.clone();
            }
            for (int k = 0; k < inputs; k += INPUTS) {
                int n = Math.min(INPUTS, inputs - k);
                long at = panelAt + k * PanelPacking.ROW_BYTES;
                Floats.read(panels.segment(), at, weights, 0, n * WIDTH);
                multiply(left, k, inputs, count, n, weights, sums);
            }
            for (int row = 0; row < count; row++) {
                finish(sums[row], firstOut + first + row, panel);
            }
        }
    }

    /** {@return the bias of a panel's columns, zeros where there is none} */
    private float[] start(int panel) {
        float[] start = new float[WIDTH];
        if (bias != null) {
            int first = panel * panelColumns;
            int count = Math.min(panelColumns, columns - first);
            for (int run = 0; run < WIDTH / panelColumns; run++) {
                long from = bias.offset() + 4L * (run * columns + first);
                Floats.read(bias.segment(), from, start, run * panelColumns, count);
            }
        }
        return start;
    }

    /**
     * Adds to a panel's rows of sums as many rows of inputs by its weights, two at a time where
     * there are two: half as many weights are read, and of what C1 compiles, half as many turns of
     * a loop are counted (1.5 times as fast, by either compiler).
     *
     * @param apart elements from one row of inputs to the next
     */
    static void multiply(
            float[] left,
            int leftAt,
            int apart,
            int rows,
            int inputs,
            float[] weights,
            float[][] sums) {
        int row = 0;
        int at = leftAt;
        for (; row + 2 <= rows; row += 2, at += 2 * apart) {
            multiplyTwo(left, at, at + apart, inputs, weights, sums[row], sums[row + 1]);
        }
        if (row < rows) {
            multiply(left, at, inputs, weights, sums[row]);
        }
    }

    private static void multiplyTwo(
            float[] left,
            int firstAt,
            int secondAt,
            int inputs,
            float[] weights,
            float[] firstSums,
            float[] secondSums) {
        int k = 0;
        for (; k + 4 <= inputs; k += 4) {
            float x0 = left[firstAt + k];
            float x1 = left[firstAt + k + 1];
            float x2 = left[firstAt + k + 2];
            float x3 = left[firstAt + k + 3];
            float y0 = left[secondAt + k];
            float y1 = left[secondAt + k + 1];
            float y2 = left[secondAt + k + 2];
            float y3 = left[secondAt + k + 3];
            int at = k * WIDTH;
            for (int j = 0; j < WIDTH; j++) {
                float w0 = weights[at + j];
                float w1 = weights[at + WIDTH + j];
                float w2 = weights[at + 2 * WIDTH + j];
                float w3 = weights[at + 3 * WIDTH + j];
                float first = Math.fma(x0, w0, firstSums[j]);
                first = Math.fma(x1, w1, first);
                first = Math.fma(x2, w2, first);
                firstSums[j] = Math.fma(x3, w3, first);
                float second = Math.fma(y0, w0, secondSums[j]);
                second = Math.fma(y1, w1, second);
                second = Math.fma(y2, w2, second);
                secondSums[j] = Math.fma(y3, w3, second);
            }
        }
        for (; k < inputs; k++) {
            addRow(left[firstAt + k], weights, k * WIDTH, firstSums);
            addRow(left[secondAt + k], weights, k * WIDTH, secondSums);
        }
    }

    /** Adds x times a row of a panel's weights. */
    static void addRow(float x, float[] weights, int at, float[] sums) {
        for (int j = 0; j < WIDTH; j++) {
            sums[j] = Math.fma(x, weights[at + j], sums[j]);
        }
    }

    /**
     * Adds to a panel's row of sums a row of inputs by its weights, four inputs at a time: the sums
     * stand in memory between them, in a loop over columns that C2 makes vector code of.
     */
    static void multiply(float[] left, int leftAt, int inputs, float[] weights, float[] sums) {
        int k = 0;
        for (; k + 4 <= inputs; k += 4) {
            float x0 = left[leftAt + k];
            float x1 = left[leftAt + k + 1];
            float x2 = left[leftAt + k + 2];
            float x3 = left[leftAt + k + 3];
            int at = k * WIDTH;
            for (int j = 0; j < WIDTH; j++) {
                float sum = Math.fma(x0, weights[at + j], sums[j]);
                sum = Math.fma(x1, weights[at + WIDTH + j], sum);
                sum = Math.fma(x2, weights[at + 2 * WIDTH + j], sum);
                sums[j] = Math.fma(x3, weights[at + 3 * WIDTH + j], sum);
            }
        }
        for (; k < inputs; k++) {
            addRow(left[leftAt + k], weights, k * WIDTH, sums);
        }
    }

    private void finish(float[] sums, int row, int panel) {
        activate(sums);
        if (gated) {
            for (int i = 0; i < panelColumns; i++) {
                sums[i] *= sums[panelColumns + i];
            }
        }
        int first = panel * panelColumns;
        int end = Math.min(first + panelColumns, columns);
        // A panel may lie across the border between two parts.
        for (int column = first; column < end; ) {
            int part = column / partColumns;
            int partEnd = Math.min(end, (part + 1) * partColumns);
            long at = 4L * ((long) row * partColumns + column - part * partColumns);
            int n = partEnd - column;
            if (residual != null) {
                MemorySegment more = residual.segment();
                float[] added = Floats.read(more, residual.offset() + at, n);
                for (int i = 0; i < n; i++) {
                    sums[column - first + i] += added[i];
                }
            }
            Place result = results.get(part);
            Floats.write(sums, column - first, n, result.segment(), result.offset() + at);
            column = partEnd;
        }
    }

    private void activate(float[] sums) {
        if (activation == Activation.RELU) {
            // As the epilogue does, which makes a zero positive.
            for (int i = 0; i < panelColumns; i++) {
                sums[i] = Math.max(sums[i], 0f);
            }
        } else {
            ScalarActivation.apply(activation, sums, 0, panelColumns);
        }
    }
}

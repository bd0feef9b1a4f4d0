package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.util.List;

/**
 * The product of two values that a program makes: {@code z = x y}.
 *
 * <p>x is F32 {@code [rows, inner]}; y is F32 {@code [inner, columns]}, or {@code [columns, inner]}
 * if its rows are its columns in the product; z is F32 {@code [rows, columns]} and lies apart from
 * both. Every run cuts y into panels first, in scratch that the workers share; the rest is the
 * product of {@link LinearKernel} without a bias, bit for bit.
 */
public final class MatMulKernel implements TwinKernel {
    private final Workers workers;
    private final Count rows;
    private final int inner;
    private final int columns;
    private final WeightReader y;
    private final PanelPacking packing;
    private final Place panels;
    private final int panelCount;
    private final Workers.Task packPanel = this::packPanel;
    private final PanelProduct product;
    private final ScalarProduct scalar;

    /**
     * Binds the product to memory.
     *
     * @param rows how many rows x has in a run
     * @param mostRows the most it can have
     * @param transposed whether y is {@code [columns, inner]}
     * @param panels scratch of {@link #panelsBytes}
     * @param scratch {@code workers.threads()} times {@link LinearKernel#scratchBytes} of x,
     *     64-byte aligned for speed
     */
    public MatMulKernel(
            Workers workers,
            Count rows,
            int mostRows,
            int inner,
            int columns,
            Place x,
            Place y,
            boolean transposed,
            Place z,
            Place panels,
            Place scratch) {
        this.workers = workers;
        this.rows = rows;
        this.inner = inner;
        this.columns = columns;
        this.y =
                new WeightReader(
                        (long) inner * columns,
                        (first, to, at, n) ->
                                Floats.read(y.segment(), y.offset() + 4 * first, to, at, n));
        this.panels = panels;
        packing = transposed ? PanelPacking.OUTPUT_ROWS : PanelPacking.INPUT_ROWS;
        panelCount = PanelPacking.panels(columns, false);
        LinearKernel.Layer layer =
                new LinearKernel.Layer(
                        new LinearKernel.Form(inner, columns, Activation.IDENTITY, false),
                        panels,
                        null,
                        null,
                        List.of(z),
                        null);
        scalar = new ScalarProduct(workers, x, layer, layer.results());
        LeftRows left = new LeftRows(x, inner, null);
        product = new PanelProduct(workers, left, layer, mostRows, scratch);
    }

    /** {@return the bytes that y takes as panels} */
    public static long panelsBytes(int inner, int columns) {
        return PanelPacking.lengthBytes(inner, columns, false);
    }

    @Override
    public void run() {
        int count = rows.value();
        if (count > 0) {
            workers.run(packPanel, panelCount);
            product.run(count);
        }
    }

    @Override
    public void runScalar() {
        int count = rows.value();
        if (count > 0) {
            workers.run(packPanel, panelCount);
            scalar.run(count);
        }
    }

    private void packPanel(int panel, int worker) {
        long at = panels.offset() + panel * PanelPacking.panelBytes(inner);
        packing.packPanels(y, inner, columns, panel, panel + 1, panels.segment(), at);
    }
}

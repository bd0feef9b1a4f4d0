package io.cyclane.cpu.gemm;

import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer with what follows it: {@code y = activation(x Wᵀ + b) + residual}, or gated,
 * {@code y = activation(a) * g + residual} with {@code [a, g] = x Wᵀ + b}.
 *
 * <p>x is F32 {@code [rows, inputs]}; W is {@code [outputs, inputs]} in panels ({@link
 * PanelPacking}, paired if gated); b is F32 {@code [outputs]}; y is F32 {@code [rows, outputs]}, or
 * half as wide if gated, in one piece or in equal column parts, each row-major in a place of its
 * own. The residual has the shape of y, and may lie where y lies; y lies apart from everything
 * else.
 *
 * <p>Bits: each sum starts from the bias (from zero without) and takes the inputs in ascending
 * order, one fused multiply-add each. They depend on nothing else: not on the count of rows, the
 * tile, the threads, nor the vector width before an activation.
 *
 * <p>One run at a time: the scratch belongs to the run.
 */
public final class LinearKernel implements TwinKernel {
    private final Count rows;
    private final PanelProduct product;
    private final ScalarProduct scalar;

    /**
     * The sizes and the arithmetic of a linear layer.
     *
     * @param inputs the columns of x, at least 1
     * @param outputs the rows of W, at least 1; even if gated
     * @param activation what is applied to the sums, or to their first half if gated
     * @param gated whether the second half of the outputs multiplies the activated first half
     */
    public record Form(int inputs, int outputs, Activation activation, boolean gated) {
        public Form {
            if (inputs < 1 || outputs < 1) {
                throw new IllegalArgumentException(
                        "linear: at least 1 input and output, not " + inputs + " and " + outputs);
            }
            if (gated && outputs % 2 != 0) {
                throw new IllegalArgumentException(
                        "linear: gated outputs must be even, not " + outputs);
            }
        }

        /** {@return the columns of y} */
        public int columns() {
            return gated ? outputs / 2 : outputs;
        }
    }

    /**
     * A linear layer and where everything of it lies but x.
     *
     * @param panels W as {@link PanelPacking} packs it
     * @param bias null for none
     * @param residual null for none; only with one result
     * @param results the places of y's equal column parts, from the left; none for a layer whose
     *     result another product takes at once
     */
    public record Layer(
            Form form,
            Place panels,
            @Nullable Place bias,
            @Nullable Place residual,
            List<Place> results) {
        public Layer {
            if (!results.isEmpty() && form.columns() % results.size() != 0) {
                throw new IllegalArgumentException(
                        "linear: "
                                + form.columns()
                                + " columns can not be dealt to "
                                + results.size()
                                + " equal parts");
            }
            if (residual != null && results.size() != 1) {
                throw new IllegalArgumentException("linear: a residual goes with one result only");
            }
        }

        Panels right() {
            int count = PanelPacking.panels(form.outputs(), form.gated());
            return new Panels(panels, form.inputs(), count);
        }

        Epilogue epilogue() {
            return new Epilogue(
                    bias,
                    form.activation(),
                    form.gated(),
                    residual,
                    results.toArray(Place[]::new),
                    form.columns());
        }
    }

    /**
     * Binds the layer to memory.
     *
     * @param rows how many rows x has in a run
     * @param scratch {@code workers.threads()} times {@link #scratchBytes}, 64-byte aligned for
     *     speed; what it holds before does not matter
     */
    public LinearKernel(
            Workers workers, Layer layer, Count rows, Place x, Place scratch, long scratchBytes) {
        if (layer.results().isEmpty()) {
            throw new IllegalArgumentException("linear: the result has no place");
        }
        this.rows = rows;
        scalar = new ScalarProduct(workers, x, layer, layer.results());
        product =
                new PanelProduct(
                        workers, x, layer.right(), layer.epilogue(), scratch, scratchBytes);
    }

    /**
     * {@return the scratch in bytes that each worker needs}, a multiple of 64.
     *
     * @param mostRows the most rows of a run
     */
    public static long scratchBytes(int mostRows, int inputs) {
        return PanelProduct.scratchBytes(mostRows, inputs);
    }

    @Override
    public void run() {
        product.run(rows.value());
    }

    @Override
    public void runScalar() {
        scalar.run(rows.value());
    }
}

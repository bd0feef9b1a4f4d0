package io.cyclane.cpu.gemm;

import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.norm.RowNorm;
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
 * else. Rows of x may be normed before, and those of y after ({@link LeftRows}, {@link
 * Layer#norm}).
 *
 * <p>Bits: each sum starts from the bias (from zero without) and takes the inputs in ascending
 * order, one fused multiply-add each. They depend on nothing else: not on the count of rows, the
 * tile, the threads, nor the vector width before an activation.
 *
 * <p>One run at a time: the scratch belongs to the run.
 */
public final class LinearKernel implements TwinKernel {
    private final Count rows;
    private final Layer layer;
    private final LeftRows x;
    private final Place scratch;
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
     * @param norm what complete rows of y go through last, or null; only with one result
     */
    public record Layer(
            Form form,
            Place panels,
            @Nullable Place bias,
            @Nullable Place residual,
            List<Place> results,
            @Nullable RowNorm norm) {
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
            if (norm != null && (results.size() != 1 || norm.width() != form.columns())) {
                throw new IllegalArgumentException(
                        "linear: a norm of %d for %d results and %d columns, wanted one as wide"
                                .formatted(norm.width(), results.size(), form.columns()));
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

        /** Norms complete rows of y in their place; as they are where there is no norm. */
        void normRows(int first, int rows) {
            if (norm != null) {
                Place y = results.getFirst();
                long at = y.offset() + 4L * first * form.columns();
                norm.rows(y.segment(), at, y.segment(), at, rows);
            }
        }

        /** Does what {@link #normRows} does, without vectors. */
        void scalarNormRows(int first, int rows) {
            if (norm != null) {
                Place y = results.getFirst();
                long at = y.offset() + 4L * first * form.columns();
                norm.scalarRows(y.segment(), at, y.segment(), at, rows);
            }
        }
    }

    /**
     * Binds the layer to memory.
     *
     * @param rows how many rows x has in a run
     * @param mostRows the most it can have
     * @param scratch {@code workers.threads()} times {@link #scratchBytes}, 64-byte aligned for
     *     speed; what it holds before does not matter
     */
    public LinearKernel(
            Workers workers, Layer layer, Count rows, int mostRows, LeftRows x, Place scratch) {
        if (layer.results().isEmpty()) {
            throw new IllegalArgumentException("linear: the result has no place");
        }
        this.rows = rows;
        this.layer = layer;
        this.x = x;
        this.scratch = scratch;
        Place left = x.norm() == null ? x.x() : scratch;
        scalar = new ScalarProduct(workers, left, layer, layer.results());
        product = new PanelProduct(workers, x, layer, mostRows, scratch);
    }

    /**
     * {@return the scratch in bytes that each worker needs}, a multiple of 64.
     *
     * @param mostRows the most rows of a run
     * @param normed whether x is normed
     */
    public static long scratchBytes(int mostRows, int inputs, boolean normed) {
        return PanelProduct.scratchBytes(mostRows, inputs) + LeftRows.scratchBytes(inputs, normed);
    }

    @Override
    public void run() {
        product.run(rows.value());
    }

    @Override
    public void runScalar() {
        int all = rows.value();
        if (x.norm() == null) {
            scalar.run(all);
        } else {
            // Normed rows take the place of a left block.
            int most = PanelProduct.mostBlockRows(x.inputs());
            for (int row = 0; row < all; row += most) {
                int count = Math.min(most, all - row);
                x.scalarNorm(row, count, scratch);
                scalar.run(0, row, count);
            }
        }
        layer.scalarNormRows(0, all);
    }
}

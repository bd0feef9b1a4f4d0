package io.cyclane.cpu.gemm;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer with random numbers for the tests: runs the kernel, and works out in double what
 * it should give and how far it may be off.
 */
final class Layer {
    /** What is written around results; it must still be there after the run. */
    static final float GUARD = 12345.678f;

    private static final int GUARDS = 40;
    private static final double UNIT = 0x1p-24;

    final LinearKernel.Form form;
    final int rows;
    final int parts;
    final float[] x;
    final float[] weight;
    final float @Nullable [] bias;
    final float @Nullable [] residual;

    Layer(
            LinearKernel.Form form,
            int rows,
            int parts,
            boolean biased,
            boolean residual,
            long seed) {
        Random random = new Random(seed);
        this.form = form;
        this.rows = rows;
        this.parts = parts;
        x = randoms(random, rows * form.inputs(), 1);
        weight = randoms(random, form.inputs() * form.outputs(), 2 / Math.sqrt(form.inputs()));
        bias = biased ? randoms(random, form.outputs(), 1) : null;
        this.residual = residual ? randoms(random, rows * form.columns(), 1) : null;
    }

    private Layer(Layer like, float[] x, float @Nullable [] residual) {
        form = like.form;
        rows = like.rows;
        parts = like.parts;
        this.x = x;
        weight = like.weight;
        bias = like.bias;
        this.residual = residual;
    }

    /** {@return this layer on another x, with another residual} */
    Layer on(float[] newX, float @Nullable [] newResidual) {
        return new Layer(this, newX, newResidual);
    }

    /** {@return this layer's weights in memory, and the places of the rest} */
    LinearKernel.Layer at(@Nullable Place residualAt, List<Place> results) {
        Place biasAt = bias == null ? null : new Place(off(bias), 0);
        return new LinearKernel.Layer(
                form, new Place(panels(), 0), biasAt, residualAt, results, null);
    }

    static LinearKernel.Form plain(int inputs, int outputs) {
        return new LinearKernel.Form(inputs, outputs, Activation.IDENTITY, false);
    }

    static float[] randoms(Random random, int count, double scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * scale);
        }
        return values;
    }

    static MemorySegment off(float[] values) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(4L * values.length, 4), 64);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        return segment;
    }

    static MemorySegment nans(long bytes) {
        return Arena.ofAuto().allocate(bytes, 64).fill((byte) 0xff);
    }

    /** {@return y of all rows} */
    float[] run(Workers workers) {
        return run(workers, 0, rows, false);
    }

    /**
     * {@return y of {@code count} rows from {@code first}, its parts beside each other again}
     *
     * @param inPlace whether the residual lies where the result does
     */
    float[] run(Workers workers, int first, int count, boolean inPlace) {
        int part = form.columns() / parts;
        MemorySegment memory = off(guards(parts * (count * part + GUARDS) + GUARDS));
        List<Place> results = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            results.add(new Place(memory, 4L * (GUARDS + i * (count * part + GUARDS))));
        }
        Place added = null;
        if (residual != null) {
            MemorySegment given = off(residual);
            long from = 4L * first * form.columns();
            added = inPlace ? results.get(0) : new Place(given, from);
            if (inPlace) {
                MemorySegment.copy(given, from, memory, added.offset(), 4L * count * part);
            }
        }
        Place rowsAt = new Place(off(x), 4L * first * form.inputs());
        bind(workers, count, rowsAt, added, results).run();
        return joined(memory, count);
    }

    /** {@return a kernel over all rows whose results nobody reads} */
    LinearKernel bind(Workers workers) {
        List<Place> results = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            results.add(new Place(nans(4L * rows * form.columns() / parts), 0));
        }
        return bind(workers, rows, new Place(off(x), 0), null, results);
    }

    private LinearKernel bind(
            Workers workers, int count, Place x, @Nullable Place residual, List<Place> results) {
        long perWorker = LinearKernel.scratchBytes(count, form.inputs(), false);
        return new LinearKernel(
                workers,
                at(residual, results),
                Count.fixed(count),
                count,
                new LeftRows(x, form.inputs(), null),
                new Place(nans(perWorker * workers.threads()), 0));
    }

    MemorySegment panels() {
        PanelPacking packing =
                form.gated() ? PanelPacking.PAIRED_OUTPUT_ROWS : PanelPacking.OUTPUT_ROWS;
        Shape shape = Shape.of(form.outputs(), form.inputs());
        MemorySegment packed = nans(packing.lengthBytes(shape));
        packing.pack(WeightReader.of(off(weight)), shape, packed);
        return packed;
    }

    private static float[] guards(int count) {
        float[] values = new float[count];
        java.util.Arrays.fill(values, GUARD);
        return values;
    }

    private float[] joined(MemorySegment memory, int count) {
        int part = form.columns() / parts;
        float[] all = memory.toArray(ValueLayout.JAVA_FLOAT);
        float[] y = new float[count * form.columns()];
        for (int i = 0; i < all.length; i++) {
            int inPart = i % (count * part + GUARDS) - GUARDS;
            int of = i / (count * part + GUARDS);
            if (inPart < 0 || of == parts) {
                if (all[i] != GUARD) {
                    throw new AssertionError("written outside the result, at element " + i);
                }
            } else {
                y[inPart / part * form.columns() + of * part + inPart % part] = all[i];
            }
        }
        return y;
    }

    /** Fails unless y is as near to the exact layer as rounding explains. */
    void check(float[] y) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < form.columns(); column++) {
                int at = row * form.columns() + column;
                Bounded wanted = exact(row, column);
                if (!(Math.abs(y[at] - wanted.value) <= wanted.error)) {
                    throw new AssertionError(
                            "%s x%d rows, %d parts: y[%d][%d] is %s, wanted %s within %s"
                                    .formatted(
                                            form,
                                            rows,
                                            parts,
                                            row,
                                            column,
                                            y[at],
                                            wanted.value,
                                            wanted.error));
                }
            }
        }
    }

    /** A value and how far a right computation in F32 may be from it. */
    record Bounded(double value, double error) {}

    private Bounded exact(int row, int column) {
        Bounded y = activated(sum(row, column));
        if (form.gated()) {
            Bounded g = sum(row, form.columns() + column);
            double product = y.value * g.value;
            double error =
                    y.error * Math.abs(g.value)
                            + g.error * Math.abs(y.value)
                            + y.error * g.error
                            + UNIT * Math.abs(product);
            y = new Bounded(product, error);
        }
        if (residual != null) {
            double total = y.value + residual[row * form.columns() + column];
            y = new Bounded(total, y.error + UNIT * (Math.abs(total) + y.error));
        }
        return y;
    }

    /** A chain of n fused multiply-adds errs by at most n unit roundoffs of the magnitudes. */
    private Bounded sum(int row, int output) {
        double value = bias == null ? 0 : bias[output];
        double magnitudes = Math.abs(value);
        for (int k = 0; k < form.inputs(); k++) {
            double product =
                    (double) x[row * form.inputs() + k] * weight[output * form.inputs() + k];
            value += product;
            magnitudes += Math.abs(product);
        }
        return new Bounded(value, 1.01 * form.inputs() * UNIT * magnitudes);
    }

    /** No activation is steeper than 1.2, and ours are within 8 units in the last place. */
    private Bounded activated(Bounded sum) {
        double value = activation(form.activation(), sum.value);
        boolean exact = form.activation() == Activation.IDENTITY;
        double own = exact ? 0 : 16 * UNIT * Math.abs(value) + 1e-30;
        return new Bounded(value, (exact ? 1 : 1.2) * sum.error + own);
    }

    static double activation(Activation activation, double x) {
        return switch (activation) {
            case IDENTITY -> x;
            case GELU -> x * (1 + erf(x / Math.sqrt(2))) / 2;
            case GELU_TANH ->
                    x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
            case SILU -> x / (1 + Math.exp(-x));
            case RELU -> Math.max(x, 0);
            case TANH -> Math.tanh(x);
        };
    }

    /** The series without cancellation: 2 x exp(-x^2) / sqrt(pi) * sum of (2 x^2)^n / (2n+1)!!. */
    private static double erf(double x) {
        double term = 1;
        double sum = 1;
        for (int n = 1; term > 1e-18 * sum; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 * x * Math.exp(-x * x) / Math.sqrt(Math.PI) * sum;
    }
}

package io.cyclane.bench.op;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A gated feed-forward layer with its residual, plain or with a mixture of low-rank updates, as
 * ModernALBERT has it: 8 experts of rank 16, 2 of them for each row.
 *
 * <p>A row is 6 width hidden floating-point operations in the plain layer. The mixture adds 2 width
 * experts for the router, 2 experts rank width for the first factors, and for each of its choices 2
 * rank (3 hidden + width).
 */
record MolLayer(int rows, int width, int hidden) {
    static final int EXPERTS = 8;
    private static final int RANK = 16;
    static final int CHOICES = 2;

    /** Small enough for numbers as in models, with factors of variance 1. */
    private static final MolGeGlu MOL = MolGeGlu.of(0.125f).plusResidual();

    /** {@return the layer as written: 128x768x1152} */
    static MolLayer of(String text) {
        String[] extents = text.split("x");
        return new MolLayer(
                Integer.parseInt(extents[0]),
                Integer.parseInt(extents[1]),
                Integer.parseInt(extents[2]));
    }

    /**
     * Scales x so that the hidden sums have variance 1, as in models: with a variance of the width
     * many hidden values would be subnormal, which takes processors a hundred times longer.
     */
    OneOp scaled(OneOp op) {
        MemorySegment x = op.input("x");
        for (long i = 0; i < (long) rows * width; i++) {
            float value = x.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (value / Math.sqrt(width)));
        }
        return op;
    }

    /** Draws the experts of an operation that has them as the input {@code experts}. */
    static OneOp routed(OneOp op) {
        SplittableRandom random = new SplittableRandom(1);
        MemorySegment experts = op.input("experts");
        for (long i = 0; i < experts.byteSize() / Integer.BYTES; i++) {
            experts.setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(EXPERTS));
        }
        return op;
    }

    /** Records the plain layer. */
    Tensor plain(Recorder g) {
        Tensor x = x(g);
        Linear in = Linear.plain(false).thenGate(Activation.GELU);
        return g.first(Linear.plain(false).plusResidual(), g.first(in, x, wi(g)), wo(g), x);
    }

    /** Records the router and the mixture. */
    Tensor routed(Recorder g) {
        Tensor x = x(g);
        return mixture(g, x, route(g, x));
    }

    /** Records the mixture, its rows' experts and gates being constants of the run. */
    Tensor mixture(Recorder g) {
        List<Tensor> route =
                List.of(
                        g.input("experts", Type.i32(Shape.of(rows, CHOICES))),
                        g.input("gates", Type.f32(Shape.of(rows, CHOICES))));
        return mixture(g, x(g), route);
    }

    private Tensor mixture(Recorder g, Tensor x, List<Tensor> route) {
        return g.first(
                MOL,
                x,
                route.get(0),
                route.get(1),
                wi(g),
                wo(g),
                g.parameter(Parameter.of("a1", EXPERTS, RANK, width)),
                g.parameter(Parameter.of("b1", EXPERTS, 2 * hidden, RANK)),
                g.parameter(Parameter.of("a2", EXPERTS, RANK, hidden)),
                g.parameter(Parameter.of("b2", EXPERTS, width, RANK)),
                x);
    }

    private List<Tensor> route(Recorder g, Tensor x) {
        return g.apply(
                new Route(CHOICES, true),
                List.of(x, g.parameter(Parameter.of("router", EXPERTS, width))));
    }

    private Tensor x(Recorder g) {
        return g.input("x", Type.f32(Shape.of(rows, width)));
    }

    private Tensor wi(Recorder g) {
        return g.parameter(Parameter.of("wi", 2 * hidden, width));
    }

    private Tensor wo(Recorder g) {
        return g.parameter(Parameter.of("wo", width, hidden));
    }

    @Override
    public String toString() {
        return rows + "x" + width + "x" + hidden;
    }
}

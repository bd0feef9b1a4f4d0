package io.cyclane.cpu;

import io.cyclane.cpu.gemm.PanelPacking;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Combine;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Multiply;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.op.Scale;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The code that an operation runs through: the operation with whatever does not change it made the
 * same. Two operations of one path need one warm-up.
 *
 * @param op the operation, its numbers set to fixed ones
 * @param headWidth of heads, else 0: it decides which loops attention takes
 * @param special whether it takes the rarer way: a sum or product of rows with one vector, a matrix
 *     product whose columns do not fill their last panel, one row of x for all experts of a row,
 *     probabilities that nobody reads
 */
record CodePath(Op op, int headWidth, boolean special) {
    /** The last place in the order of {@link #urgency}. */
    static final int LEAST_URGENT = 2;

    /** The most tokens of {@link #program}: more than attention's block of keys. */
    static final int MOST_TOKENS = 72;

    /** The most sequences of {@link #program}. */
    static final int MOST_SEQUENCES = 3;

    private static final Extent.Bounded TOKENS = new Extent.Bounded("tokens", MOST_TOKENS);
    private static final Extent.Bounded SEQUENCES = new Extent.Bounded("sequences", MOST_SEQUENCES);

    /** A width that has every kind of remainder: two groups of four vectors, one vector, three. */
    private static final int WIDTH = 9 * Lanes.COUNT + 3;

    private static final int HEADS = 2;
    private static final int WINDOW = 20;

    /** Odd, since tiles may take inputs in pairs. */
    private static final int INPUTS = 25;

    /** More experts than are summed at a time, and how many of them a row has. */
    private static final int EXPERTS = 5;

    private static final int CHOICES = 2;

    private static final int RANK = 16;

    /** Columns that fill two panels of a product, and two and a quarter. */
    private static final int COLUMNS = 2 * PanelPacking.WIDTH;

    private static final int BROKEN_COLUMNS = COLUMNS + PanelPacking.WIDTH / 4;

    /** {@return the path of an operation that has vectors} */
    static CodePath of(Op op, Operands to) {
        Type x = to.inputType(0);
        return switch (op) {
            case Attention attention ->
                    new CodePath(
                            new Attention(HEADS, 1f, attention.window() == 0 ? 0 : WINDOW),
                            x.shape().last() / attention.heads(),
                            false);
            case Rotary _ -> new CodePath(op, to.inputType(1).shape().last(), false);
            case Add _, Multiply _ -> new CodePath(op, 0, isVector(x, to.inputType(1)));
            case L2Normalize _ -> new CodePath(new L2Normalize(1e-6f), 0, false);
            case LayerNorm _, RmsNorm _ -> new CodePath(plain(op), 0, false);
            case Normed normed -> {
                Normed plain =
                        new Normed(normed.body(), plain(normed.before()), plain(normed.after()));
                yield new CodePath(plain, 0, isBroken(to.resultType(0), isGated(normed.body())));
            }
            case Scale _ -> new CodePath(new Scale(0.5f), 0, false);
            case FeedForward _, Linear _, MatMul _ ->
                    new CodePath(op, 0, isBroken(to.resultType(0), isGated(op)));
            case ExpertMatMul product ->
                    new CodePath(
                            new ExpertMatMul(1, product.base()),
                            0,
                            ExpertMatMul.isShared(x, to.inputType(1)));
            case Route route ->
                    new CodePath(new Route(CHOICES, route.renormalised()), 0, to.result(2) == null);
            case Pool pool -> {
                // A row of its own is copied as a first row is.
                boolean isMean = pool.kind() == Pool.Kind.MEAN;
                yield new CodePath(new Pool(isMean ? Pool.Kind.MEAN : Pool.Kind.CLS), 0, false);
            }
            case Activate _, Combine _, Glu _, Softmax _ -> new CodePath(op, 0, false);
            case MolGeGlu mol ->
                    new CodePath(
                            new MolGeGlu(1, mol.mixedWeights(), mol.residual()),
                            0,
                            isBroken(to.resultType(0), false));
            case Convert _, Copy _, Embedding _, Positions _, Split _ ->
                    throw new AssertionError(op + " has no vectors");
        };
    }

    /** {@return a norm with a fixed number, or none} */
    private static @Nullable Op plain(@Nullable Op norm) {
        return switch (norm) {
            case LayerNorm(float _, boolean bias) -> new LayerNorm(1e-6f, bias);
            case RmsNorm _ -> new RmsNorm(1e-6f);
            case null -> null;
            default -> throw new AssertionError(norm + " is no norm of rows");
        };
    }

    /** {@return how soon it is to be compiled: 0 for what models spend most of their time in} */
    int urgency() {
        return switch (op) {
            case FeedForward _, Linear _, MatMul _, MolGeGlu _, Normed _, ExpertMatMul _ -> 0;
            case Attention _ -> 1;
            default -> LEAST_URGENT;
        };
    }

    /** {@return what stands for all operations that run through the same loops} */
    Class<? extends Op> kind() {
        return switch (op) {
            case FeedForward _, Linear _, MatMul _, Normed _ -> Linear.class;
            default -> op.getClass();
        };
    }

    private static boolean isVector(Type x, Type y) {
        return y.shape().rank() < x.shape().rank();
    }

    /** {@return whether what a product gives comes out of paired panels} */
    private static boolean isGated(Op op) {
        return switch (op) {
            case FeedForward both -> both.second().gated();
            case Linear linear -> linear.gated();
            default -> false;
        };
    }

    private static boolean isBroken(Type y, boolean gated) {
        return y.shape().last() % (gated ? PanelPacking.WIDTH / 2 : PanelPacking.WIDTH) != 0;
    }

    /** {@return how many tokens its program is to be run with, which reach every way through it} */
    List<Integer> tokens() {
        return op instanceof Attention
                ? List.of(1, 5, 9, 16, 17, 34, MOST_TOKENS)
                : List.of(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 21);
    }

    /** {@return a small program that takes the whole path} */
    Program program() {
        Recorder g = new Recorder("warm-up of " + op.label());
        return switch (op) {
            case Activate _, L2Normalize _, Scale _, Softmax _ -> of(g, rows(g, "x", WIDTH));
            case Glu _ -> of(g, rows(g, "x", 2 * WIDTH));
            case Add _, Multiply _ ->
                    of(g, rows(g, "x", WIDTH), special ? vector(g, "y") : rows(g, "y", WIDTH));
            case LayerNorm norm ->
                    norm.bias()
                            ? of(g, rows(g, "x", WIDTH), vector(g, "weight"), vector(g, "bias"))
                            : of(g, rows(g, "x", WIDTH), vector(g, "weight"));
            case RmsNorm _ -> of(g, rows(g, "x", WIDTH), vector(g, "weight"));
            case Pool _ -> of(g, rows(g, "x", WIDTH), offsets(g));
            case Rotary _ -> rotary(g);
            case Attention _ -> attention(g);
            case MatMul matMul ->
                    of(
                            g,
                            rows(g, "x", INPUTS),
                            matMul.transposed()
                                    ? matrix(g, "y", columns(), INPUTS)
                                    : matrix(g, "y", INPUTS, columns()));
            case FeedForward both -> all(g, g.apply(op, layers(g, both, INPUTS, columns())));
            case Linear linear -> all(g, g.apply(op, layers(g, linear, INPUTS, columns())));
            case Normed normed -> normed(g, normed);
            case Combine _ -> of(g, rows(g, "gates", CHOICES), choices(g, "x", WIDTH));
            case ExpertMatMul product -> expertMatMul(g, product);
            case Route _ -> route(g);
            case MolGeGlu mol -> molGeGlu(g, mol);
            case Convert _, Copy _, Embedding _, Positions _, Split _ ->
                    throw new AssertionError(op + " has no vectors");
        };
    }

    private Program of(Recorder g, Tensor... inputs) {
        return g.output("y", g.apply(op, List.of(inputs)).getFirst()).program();
    }

    private Program rotary(Recorder g) {
        return of(
                g,
                rows(g, "x", HEADS * headWidth),
                matrix(g, "table", MOST_TOKENS, headWidth),
                g.input("positions", Type.i32(Shape.of(TOKENS))));
    }

    private Program attention(Recorder g) {
        int width = HEADS * headWidth;
        return of(g, rows(g, "q", width), rows(g, "k", width), rows(g, "v", width), offsets(g));
    }

    private int columns() {
        return special ? BROKEN_COLUMNS : COLUMNS;
    }

    /** What one layer or two read, of so many inputs, giving parts of so many columns. */
    private static List<Tensor> layers(Recorder g, Op body, int width, int columns) {
        List<Tensor> inputs = new ArrayList<>();
        inputs.add(rows(g, "x", width));
        if (body instanceof FeedForward(Linear first, Linear second)) {
            layer(g, "first ", first, width, columns, inputs);
            layer(g, "second ", second, columns, second.parts() * columns, inputs);
        } else {
            Linear linear = (Linear) body;
            layer(g, "", linear, width, linear.parts() * columns, inputs);
        }
        return inputs;
    }

    /** A norm's rows have every kind of remainder, but after columns that fill their panels. */
    private Program normed(Recorder g, Normed normed) {
        int columns = normed.after() == null ? columns() : columns() + PanelPacking.WIDTH;
        List<Tensor> inputs = layers(g, normed.body(), WIDTH, columns);
        vectors(g, "before ", normed.before(), WIDTH, inputs);
        vectors(g, "after ", normed.after(), columns, inputs);
        return all(g, g.apply(normed, inputs));
    }

    private static void vectors(
            Recorder g, String name, @Nullable Op norm, int width, List<Tensor> inputs) {
        if (norm != null) {
            inputs.add(g.input(name + "weight", Type.f32(Shape.of(width))));
        }
        if (norm instanceof LayerNorm layerNorm && layerNorm.bias()) {
            inputs.add(g.input(name + "bias", Type.f32(Shape.of(width))));
        }
    }

    /** Adds what a layer with so many columns reads beside its x. */
    private static void layer(
            Recorder g, String name, Linear linear, int width, int columns, List<Tensor> inputs) {
        int outputs = linear.gated() ? 2 * columns : columns;
        inputs.add(g.parameter(Parameter.of(name + "weight", outputs, width)));
        if (linear.bias()) {
            inputs.add(g.parameter(Parameter.of(name + "bias", outputs)));
        }
        if (linear.residual()) {
            inputs.add(rows(g, name + "residual", columns));
        }
    }

    private Program expertMatMul(Recorder g, ExpertMatMul product) {
        Tensor router = matrix(g, "router", EXPERTS, WIDTH);
        Tensor in = rows(g, "routed", WIDTH);
        List<Tensor> inputs = new ArrayList<>();
        inputs.add(special ? rows(g, "x", WIDTH) : choices(g, "x", WIDTH));
        inputs.add(g.first(new Route(CHOICES, true), in, router));
        inputs.add(g.input("weight", Type.f32(Shape.of(EXPERTS, BROKEN_COLUMNS + 1, WIDTH))));
        if (product.base()) {
            inputs.add(rows(g, "base", BROKEN_COLUMNS + 1));
        }
        return of(g, inputs.toArray(Tensor[]::new));
    }

    private Program molGeGlu(Recorder g, MolGeGlu mol) {
        Tensor x = rows(g, "x", INPUTS);
        List<Tensor> route =
                g.apply(new Route(CHOICES, true), List.of(x, matrix(g, "router", EXPERTS, INPUTS)));
        List<Tensor> inputs = new ArrayList<>(List.of(x, route.get(0), route.get(1)));
        inputs.add(g.parameter(Parameter.of("wi", 2 * columns(), INPUTS)));
        inputs.add(g.parameter(Parameter.of("wo", columns(), columns())));
        inputs.add(g.parameter(Parameter.of("a1", EXPERTS, RANK, INPUTS)));
        inputs.add(g.parameter(Parameter.of("b1", EXPERTS, 2 * columns(), RANK)));
        inputs.add(g.parameter(Parameter.of("a2", EXPERTS, RANK, columns())));
        inputs.add(g.parameter(Parameter.of("b2", EXPERTS, columns(), RANK)));
        if (mol.residual()) {
            inputs.add(rows(g, "residual", columns()));
        }
        return of(g, inputs.toArray(Tensor[]::new));
    }

    private Program route(Recorder g) {
        List<Tensor> results =
                g.apply(op, List.of(rows(g, "x", WIDTH), matrix(g, "weight", EXPERTS, WIDTH)));
        g.output("experts", results.get(0)).output("gates", results.get(1));
        return special ? g.program() : g.output("probabilities", results.get(2)).program();
    }

    private static Program all(Recorder g, List<Tensor> results) {
        for (int part = 0; part < results.size(); part++) {
            g.output("y" + part, results.get(part));
        }
        return g.program();
    }

    private static Tensor rows(Recorder g, String name, int width) {
        return g.input(name, Type.f32(Shape.of(TOKENS, Extent.of(width))));
    }

    private static Tensor choices(Recorder g, String name, int width) {
        return g.input(name, Type.f32(Shape.of(TOKENS, Extent.of(CHOICES), Extent.of(width))));
    }

    private static Tensor matrix(Recorder g, String name, int rows, int columns) {
        return g.input(name, Type.f32(Shape.of(rows, columns)));
    }

    private static Tensor vector(Recorder g, String name) {
        return g.input(name, Type.f32(Shape.of(WIDTH)));
    }

    private static Tensor offsets(Recorder g) {
        return g.input("offsets", Type.i32(Shape.of(new Extent.Borders(SEQUENCES))));
    }
}

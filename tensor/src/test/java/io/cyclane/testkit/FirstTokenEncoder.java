package io.cyclane.testkit;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;

/**
 * An encoder whose texts are represented by their first token: three rounds of BERT's layer, which
 * share their weights, and a norm. Its output is {@code vectors} [S, D].
 */
public final class FirstTokenEncoder {
    static final int WIDTH = 36;
    private static final int HEADS = 3;
    private static final int HIDDEN = 60;
    private static final int ROUNDS = 3;
    private static final float EPS = 1e-6f;

    private final Recorder g = new Recorder("first tokens");
    private final Ragged ragged;
    private final Tensor offsets;

    private FirstTokenEncoder(Ragged ragged) {
        this.ragged = ragged;
        offsets = g.input("offsets", ragged.offsetsType());
    }

    /**
     * {@return the program}
     *
     * @param mayPickEarly whether the first rows are picked by offsets that the caller gives: those
     *     a pass may use anywhere
     */
    public static Program program(Ragged ragged, boolean mayPickEarly) {
        return new FirstTokenEncoder(ragged).record(mayPickEarly);
    }

    /** {@return the program with numbers of this seed} */
    public static Run run(Ragged ragged, boolean mayPickEarly, long seed) {
        Program program = program(ragged, mayPickEarly);
        Generators random = Generators.seeded(seed);
        Run run =
                Run.of(program)
                        .given("x", random.normal(ragged.tokens() * WIDTH))
                        .givenIntegers("offsets", ragged.offsets())
                        .count("tokens", ragged.tokens())
                        .count("sequences", ragged.sequences());
        program.parameters()
                .values()
                .forEach(parameter -> {
                    int elements = (int) parameter.type().shape().elements();
                    boolean isMatrix = parameter.type().shape().rank() == 2;
                    double deviation =
                            isMatrix ? 1 / Math.sqrt(parameter.type().shape().last()) : 0.2;
                    run.given(parameter.name(), random.normal(elements, 0, deviation));
                });
        return run;
    }

    private Program record(boolean mayPickEarly) {
        Tensor x = g.input("x", ragged.rows(WIDTH));
        Tensor states = norm("final", g.repeat(ROUNDS, x, this::layer));
        Tensor places = mayPickEarly ? offsets : g.copy(offsets);
        Tensor first = g.first(new Pool(Pool.Kind.CLS), states, places);
        return g.output("vectors", g.first(new L2Normalize(1e-12f), first)).program();
    }

    private Tensor layer(Tensor h) {
        Attention attention = new Attention(HEADS, 0.3f, 0);
        Tensor query = dense("query", h, WIDTH);
        Tensor key = dense("key", h, WIDTH);
        Tensor mixed = g.first(attention, query, key, dense("value", h, WIDTH), offsets);
        Tensor attended = norm("norm1", g.add(dense("out", mixed, WIDTH), h));
        Tensor wide = g.activate(dense("up", attended, HIDDEN), Activation.GELU);
        return norm("norm2", g.add(dense("down", wide, WIDTH), attended));
    }

    private Tensor dense(String name, Tensor x, int outputs) {
        return g.first(
                Linear.plain(true),
                x,
                g.parameter(Parameter.of(name + ".weight", outputs, x.shape().last())),
                g.parameter(Parameter.of(name + ".bias", outputs)));
    }

    private Tensor norm(String name, Tensor x) {
        return g.first(
                new LayerNorm(EPS, true),
                x,
                g.parameter(Parameter.of(name + ".weight", WIDTH)),
                g.parameter(Parameter.of(name + ".bias", WIDTH)));
    }
}

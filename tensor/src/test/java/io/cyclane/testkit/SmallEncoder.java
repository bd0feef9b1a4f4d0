package io.cyclane.testkit;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An encoder of two rounds with weights of their own: attention with rotary positions, a gated
 * feed-forward, norms after each, mean pooling. Small, but with every step of a real one.
 *
 * <p>Its outputs are {@code states} [T, D] and {@code vectors} [S, D].
 */
final class SmallEncoder {
    static final int WIDTH = 32;
    static final int VOCABULARY = 50;
    private static final int HEADS = 2;
    private static final int HIDDEN = 48;
    private static final int PLACES = 256;
    private static final int ROUNDS = 2;

    private final float eps;
    private final int window;
    private final Map<String, float[]> weights = new LinkedHashMap<>();

    private SmallEncoder(float eps, int window) {
        this.eps = eps;
        this.window = window;
    }

    /** The encoder with weights of this seed. */
    static SmallEncoder random(long seed, float eps, int window) {
        SmallEncoder encoder = new SmallEncoder(eps, window);
        Generators random = Generators.seeded(seed);
        Map<String, float[]> weights = encoder.weights;
        weights.put("table", random.normal(VOCABULARY * WIDTH));
        weights.put("angles", RotaryConformance.table(PLACES, WIDTH / HEADS));
        weights.put("norm.weight", random.normal(WIDTH, 1, 0.2));
        weights.put("norm.bias", random.normal(WIDTH, 0, 0.2));
        encoder.dense(random, "qkv", 3 * WIDTH, WIDTH);
        encoder.dense(random, "out", WIDTH, WIDTH);
        encoder.dense(random, "up", 2 * HIDDEN, WIDTH);
        encoder.dense(random, "down", WIDTH, HIDDEN);
        for (String norm : List.of("norm1", "norm2")) {
            weights.put(norm + ".weight", random.normal(ROUNDS * WIDTH, 1, 0.2));
            weights.put(norm + ".bias", random.normal(ROUNDS * WIDTH, 0, 0.2));
        }
        return encoder;
    }

    private void dense(Generators random, String name, int outputs, int inputs) {
        int n = ROUNDS * outputs * inputs;
        weights.put(name + ".weight", random.normal(n, 0, 1 / Math.sqrt(inputs)));
        weights.put(name + ".bias", random.normal(ROUNDS * outputs, 0, 0.2));
    }

    /** {@return this encoder with the second round's bias of a dense layer dropped} */
    SmallEncoder withoutBias(String name) {
        SmallEncoder other = copy(eps, window);
        float[] bias = other.weights.get(name + ".bias").clone();
        Arrays.fill(bias, bias.length / 2, bias.length, 0f);
        other.weights.put(name + ".bias", bias);
        return other;
    }

    /** {@return this encoder with another eps and window} */
    SmallEncoder copy(float newEps, int newWindow) {
        SmallEncoder other = new SmallEncoder(newEps, newWindow);
        other.weights.putAll(weights);
        return other;
    }

    /** {@return this encoder with two equal parts of each round's rows of a weight exchanged} */
    SmallEncoder withHalvesSwapped(String name) {
        SmallEncoder other = copy(eps, window);
        float[] from = weights.get(name);
        float[] swapped = new float[from.length];
        int half = from.length / ROUNDS / 2;
        for (int i = 0; i < from.length; i++) {
            boolean isLow = i / half % 2 == 0;
            swapped[isLow ? i + half : i - half] = from[i];
        }
        other.weights.put(name, swapped);
        return other;
    }

    /** {@return this encoder without what turns queries and keys by their positions} */
    SmallEncoder withoutPositions() {
        SmallEncoder other = copy(eps, window);
        float[] still = new float[PLACES * WIDTH / HEADS];
        for (int i = 0; i < still.length; i++) {
            still[i] = i % (WIDTH / HEADS) < WIDTH / HEADS / 2 ? 1 : 0;
        }
        other.weights.put("angles", still);
        return other;
    }

    /** {@return the encoder on these texts} */
    Run on(Ragged ragged, int[] ids) {
        Run run =
                Run.of(program(ragged))
                        .givenIntegers("ids", ids)
                        .givenIntegers("offsets", ragged.offsets())
                        .count("tokens", ragged.tokens())
                        .count("sequences", ragged.sequences());
        weights.forEach(run::given);
        return run;
    }

    private Program program(Ragged ragged) {
        Recorder g = new Recorder("small encoder");
        Tensor ids = g.input("ids", ragged.idsType());
        Tensor offsets = g.input("offsets", ragged.offsetsType());
        Tensor table = g.parameter(Parameter.of("table", VOCABULARY, WIDTH));
        Tensor angles = g.parameter(Parameter.of("angles", PLACES, WIDTH / HEADS));
        Tensor positions = g.first(new Positions(ragged.tokenExtent()), offsets);
        Tensor x =
                g.first(
                        new LayerNorm(eps, true),
                        g.first(new Embedding(), table, ids),
                        g.parameter(Parameter.of("norm.weight", WIDTH)),
                        g.parameter(Parameter.of("norm.bias", WIDTH)));
        Loop loop = g.loop(ROUNDS);
        Tensor h = loop.carry(x);
        List<Tensor> qkv =
                g.apply(
                        Linear.plain(true).into(3),
                        List.of(
                                h,
                                row(g, loop, "qkv.weight", 3 * WIDTH, WIDTH),
                                row(g, loop, "qkv.bias", 3 * WIDTH)));
        Tensor query = g.first(new Rotary(), qkv.get(0), angles, positions);
        Tensor key = g.first(new Rotary(), qkv.get(1), angles, positions);
        Attention attention = new Attention(HEADS, (float) Math.sqrt(1.0 * HEADS / WIDTH), window);
        Tensor mixed = g.first(attention, query, key, qkv.get(2), offsets);
        Tensor attended = norm(g, loop, "norm1", residual(g, loop, "out", mixed, WIDTH, h));
        Tensor up =
                g.first(
                        Linear.plain(true).thenGate(Activation.GELU),
                        attended,
                        row(g, loop, "up.weight", 2 * HIDDEN, WIDTH),
                        row(g, loop, "up.bias", 2 * HIDDEN));
        Tensor next = norm(g, loop, "norm2", residual(g, loop, "down", up, HIDDEN, attended));
        loop.next(h, next);
        loop.close();
        Tensor states = loop.result(h);
        Tensor pooled = g.first(new Pool(Pool.Kind.MEAN), states, offsets);
        return g.output("states", states)
                .output("vectors", g.first(new L2Normalize(1e-12f), pooled))
                .program();
    }

    private static Tensor row(Recorder g, Loop loop, String name, int... extents) {
        int[] stacked = new int[extents.length + 1];
        stacked[0] = ROUNDS;
        System.arraycopy(extents, 0, stacked, 1, extents.length);
        return loop.row(g.parameter(Parameter.of(name, stacked)));
    }

    private static Tensor residual(
            Recorder g, Loop loop, String name, Tensor x, int inputs, Tensor residual) {
        return g.first(
                Linear.plain(true).plusResidual(),
                x,
                row(g, loop, name + ".weight", WIDTH, inputs),
                row(g, loop, name + ".bias", WIDTH),
                residual);
    }

    private Tensor norm(Recorder g, Loop loop, String name, Tensor x) {
        return g.first(
                new LayerNorm(eps, true),
                x,
                row(g, loop, name + ".weight", WIDTH),
                row(g, loop, name + ".bias", WIDTH));
    }
}

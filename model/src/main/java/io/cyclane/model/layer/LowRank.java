package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/**
 * A low-rank update of a dense layer, one for all rounds or one for each: {@code scale * b . (a .
 * x)}.
 *
 * <p>Source: arXiv:2106.09685, section 4.1.
 *
 * @param a [N, R, in]
 * @param b [N, out, R]
 */
public record LowRank(TokenLayer a, TokenLayer b, float scale) {
    /** {@return the update that all rounds share, its factors named name.lora_A, name.lora_B} */
    public static LowRank shared(String name, int rank, int in, int out, float scale) {
        Dense a = Dense.of(name + ".lora_A", in, rank, false);
        Dense b = Dense.of(name + ".lora_B", rank, out, false);
        return new LowRank((g, x, _) -> a.forward(g, x), (g, x, _) -> b.forward(g, x), scale);
    }

    /** {@return the updates of so many rounds} */
    public static LowRank perRound(
            String name, int rounds, int rank, int in, int out, float scale) {
        return new LowRank(
                RoundDense.of(name + ".lora_A", rounds, in, rank, false)::forward,
                RoundDense.of(name + ".lora_B", rounds, rank, out, false)::forward,
                scale);
    }

    /** Records the update of a layer's result y on x. */
    public Tensor onto(Recorder g, Tensor y, Tensor x, Round round) {
        // Scaled where it is narrow.
        Tensor narrow = g.scale(a.forward(g, x, round), scale);
        return g.add(b.forward(g, narrow, round), y);
    }
}

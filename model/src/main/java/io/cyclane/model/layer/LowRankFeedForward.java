package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/**
 * A gated feed-forward layer with a low-rank update of both its layers: {@code z = function(a) * b}
 * of the halves of {@code in(x) + inUpdate(x)}, {@code y = out(z) + outUpdate(z)}.
 *
 * <p>Source: with updates per round arXiv:2410.20672, section 2.2; with one, what merging the
 * experts of arXiv:2512.12880 leaves.
 */
public record LowRankFeedForward(GatedFeedForward base, LowRank inUpdate, LowRank outUpdate)
        implements TokenLayer {
    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Tensor wide = inUpdate.onto(g, base.in().forward(g, x), x, round);
        Tensor z = g.glu(wide, base.function());
        return outUpdate.onto(g, base.out().forward(g, z), z, round);
    }
}

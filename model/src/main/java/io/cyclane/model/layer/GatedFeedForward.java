package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.program.Recorder;

/**
 * A gated feed-forward layer: {@code out(function(a) * b)}, where a and b are the halves of in(x).
 *
 * <p>Source: arXiv:2002.05202, section 2.
 *
 * @param in [2F, D]: first the rows of a, then those of b
 * @param out [D, F]
 */
public record GatedFeedForward(Dense in, Activation function, Dense out) implements TokenLayer {
    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        return out.forward(g, g.glu(in.forward(g, x), function));
    }
}

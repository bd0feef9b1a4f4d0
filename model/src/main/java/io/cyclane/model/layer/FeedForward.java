package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.program.Recorder;

/** Two dense layers with a function between them: {@code out(function(in(x)))}. */
public record FeedForward(Dense in, Activation function, Dense out) {
    /** Records the layers on x, [.., D]. */
    public Tensor forward(Recorder g, Tensor x) {
        return out.forward(g, g.activate(in.forward(g, x), function));
    }
}

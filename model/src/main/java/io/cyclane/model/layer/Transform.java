package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.program.Recorder;

/** What stands before most scores: {@code LN(function(dense x))}. */
public record Transform(Dense dense, Activation function, Norm norm) {
    /** Records it on x, [.., in]. */
    public Tensor forward(Recorder g, Tensor x) {
        return norm.forward(g, g.activate(dense.forward(g, x), function));
    }
}

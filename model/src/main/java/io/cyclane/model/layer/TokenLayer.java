package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/** The part of a layer that reads each token alone: a feed-forward of any kind. */
@FunctionalInterface
public interface TokenLayer {
    /** Records it on x, [T, D], and returns the result, [T, D]. */
    Tensor forward(Recorder g, Tensor x, Round round);
}

package io.cyclane.model.layer;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/** A layer that takes token vectors and gives as many of the same width: what a stack repeats. */
@FunctionalInterface
public interface Block {
    /** Records the layer on x, [T, D], and returns the result, [T, D]. */
    Tensor forward(Recorder g, Tensor x, RaggedBatch batch);
}

package io.cyclane.model;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/**
 * The task heads of an architecture, in the form and under the names in which checkpoints store
 * them. Each takes the encoder's token vectors, [T, D], and gives raw scores.
 */
public interface Heads {
    /** Records the scores of every token id for vectors of masked tokens, [.., D]: [.., V]. */
    Tensor masked(Recorder g, Tensor x);

    /** Records the scores of so many labels for each text, [S, labels]. */
    Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels);

    /** Records the scores of so many labels for each token, [T, labels]. */
    Tensor token(Recorder g, Tensor x, int labels);

    /** Records for each token how much an answer seems to begin, and to end, there: [T, 2]. */
    Tensor span(Recorder g, Tensor x);
}

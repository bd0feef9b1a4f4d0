package io.cyclane.model;

import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Recorder;

/**
 * The task heads that BERT and its kin share. Texts: the first token's vector through the pooler,
 * {@code tanh(dense x)}, and a linear layer. Tokens and spans: a linear layer.
 *
 * <p>Source: arXiv:1810.04805, section 4.
 */
public interface FirstTokenHeads extends Heads {
    /** {@return the width of a hidden state} */
    int width();

    /** {@return the checkpoint's name of the pooler's dense layer} */
    String pooler();

    @Override
    default Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels) {
        return token(g, g.activate(pooled(g, x, batch), Activation.TANH), labels);
    }

    /** Records the dense layer on each text's first token, [S, D]. */
    default Tensor pooled(Recorder g, Tensor x, RaggedBatch batch) {
        Tensor first = g.first(new Pool(Pool.Kind.CLS), x, batch.offsets());
        return Dense.biased(pooler(), width(), width()).forward(g, first);
    }

    @Override
    default Tensor token(Recorder g, Tensor x, int labels) {
        return Dense.biased("classifier", width(), labels).forward(g, x);
    }

    @Override
    default Tensor span(Recorder g, Tensor x) {
        return Dense.biased("qa_outputs", width(), 2).forward(g, x);
    }
}

package io.cyclane.model.modernalbert;

import io.cyclane.model.Heads;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.Transform;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Recorder;
import java.util.Optional;

/**
 * ModernALBERT's task heads. Masked words: {@code E . LN(function(dense x)) + bias} in the narrow
 * width of the word table E. Texts: the mean of their tokens, {@code LN(function(dense x))} and a
 * linear layer; tokens: the same for each; spans: a linear layer.
 *
 * <p>No source publishes them; the forms are ALBERT's for words and ModernBERT's for the rest.
 */
record ModernAlbertHeads(ModernAlbertConfig config, Parameter words) implements Heads {
    @Override
    public Tensor masked(Recorder g, Tensor x) {
        Transform narrow = transform("head", config.tableWidth(), true);
        Parameter bias = Parameter.of("decoder.bias", config.vocabulary());
        return new Dense(words, Optional.of(bias)).forward(g, narrow.forward(g, x));
    }

    @Override
    public Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels) {
        return token(g, g.first(new Pool(Pool.Kind.MEAN), x, batch.offsets()), labels);
    }

    @Override
    public Tensor token(Recorder g, Tensor x, int labels) {
        Tensor h = transform("classifier", config.width(), false).forward(g, x);
        return Dense.biased("classifier.output", config.width(), labels).forward(g, h);
    }

    @Override
    public Tensor span(Recorder g, Tensor x) {
        return Dense.biased("qa_outputs", config.width(), 2).forward(g, x);
    }

    private Transform transform(String name, int out, boolean hasBias) {
        return new Transform(
                Dense.of(name + ".dense", config.width(), out, hasBias),
                config.function(),
                Norm.of(name + ".norm", out, config.normEps(), config.normBias()));
    }
}

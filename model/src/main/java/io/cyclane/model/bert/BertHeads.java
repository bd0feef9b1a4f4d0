package io.cyclane.model.bert;

import io.cyclane.model.Heads;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.Transform;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Recorder;
import java.util.Optional;

/**
 * BERT's task heads.
 *
 * <p>Masked words: {@code words . LN(function(dense x)) + bias}, the word table once more. Texts:
 * the first token's vector through the pooler, {@code tanh(dense x)}, and a linear layer. Tokens
 * and spans: a linear layer. Source: arXiv:1810.04805, sections 3 and 4.
 */
record BertHeads(BertConfig config, Parameter words) implements Heads {
    private static final String TRANSFORM = "cls.predictions.transform";

    @Override
    public Tensor masked(Recorder g, Tensor x) {
        int width = config.width();
        Dense dense = Dense.biased(TRANSFORM + ".dense", width, width);
        Norm norm = Norm.biased(TRANSFORM + ".LayerNorm", width, config.normEps());
        Parameter bias = Parameter.of("cls.predictions.bias", config.vocabulary());
        Tensor h = new Transform(dense, config.function(), norm).forward(g, x);
        return new Dense(words, Optional.of(bias)).forward(g, h);
    }

    @Override
    public Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels) {
        int width = config.width();
        Tensor first = g.first(new Pool(Pool.Kind.CLS), x, batch.offsets());
        Tensor pooled = Dense.biased("pooler.dense", width, width).forward(g, first);
        return classifier(labels).forward(g, g.activate(pooled, Activation.TANH));
    }

    @Override
    public Tensor token(Recorder g, Tensor x, int labels) {
        return classifier(labels).forward(g, x);
    }

    @Override
    public Tensor span(Recorder g, Tensor x) {
        return Dense.biased("qa_outputs", config.width(), 2).forward(g, x);
    }

    private Dense classifier(int labels) {
        return Dense.biased("classifier", config.width(), labels);
    }
}

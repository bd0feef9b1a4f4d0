package io.cyclane.model.albert;

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
 * ALBERT's task heads: BERT's, but that masked words are scored in the narrow width of their table.
 *
 * <p>Source: arXiv:1909.11942, section 3.1.
 */
record AlbertHeads(AlbertConfig config, Parameter words) implements Heads {
    @Override
    public Tensor masked(Recorder g, Tensor x) {
        Dense dense = Dense.biased("predictions.dense", config.width(), config.tableWidth());
        Norm norm = Norm.biased("predictions.LayerNorm", config.tableWidth(), config.normEps());
        Parameter bias = Parameter.of("predictions.bias", config.vocabulary());
        Tensor h = new Transform(dense, config.function(), norm).forward(g, x);
        return new Dense(words, Optional.of(bias)).forward(g, h);
    }

    @Override
    public Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels) {
        int width = config.width();
        Tensor first = g.first(new Pool(Pool.Kind.CLS), x, batch.offsets());
        Tensor pooled = Dense.biased("pooler", width, width).forward(g, first);
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

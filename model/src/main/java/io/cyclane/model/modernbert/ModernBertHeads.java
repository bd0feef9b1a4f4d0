package io.cyclane.model.modernbert;

import io.cyclane.model.Heads;
import io.cyclane.model.checkpoint.Pooling;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.Transform;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Recorder;

/**
 * ModernBERT's task heads: {@code LN(function(dense x))} of token vectors, or of the text's one,
 * and a linear layer, which for masked words is the word table.
 *
 * <p>Source: arXiv:2412.13663, section 2.1, and its released configurations.
 */
record ModernBertHeads(ModernBertConfig config, Parameter words) implements Heads {
    @Override
    public Tensor masked(Recorder g, Tensor x) {
        Dense plain = Dense.ofWords(words, config.isTied(), "decoder.weight");
        Dense scores =
                config.decoderBias()
                        ? plain.with(Parameter.of("decoder.bias", config.vocabulary()))
                        : plain;
        return scores.forward(g, head(g, x));
    }

    @Override
    public Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels) {
        boolean isMean = config.classifierPooling() == Pooling.MEAN;
        Pool pool = new Pool(isMean ? Pool.Kind.MEAN : Pool.Kind.CLS);
        return token(g, g.first(pool, x, batch.offsets()), labels);
    }

    @Override
    public Tensor token(Recorder g, Tensor x, int labels) {
        return Dense.biased("classifier", config.width(), labels).forward(g, head(g, x));
    }

    @Override
    public Tensor span(Recorder g, Tensor x) {
        return token(g, x, 2);
    }

    private Tensor head(Recorder g, Tensor x) {
        int width = config.width();
        Dense dense = Dense.of("head.dense", width, width, config.classifierBias());
        Norm norm = ModernBertLayers.norm(config, "head.norm");
        return new Transform(dense, config.classifierFunction(), norm).forward(g, x);
    }
}

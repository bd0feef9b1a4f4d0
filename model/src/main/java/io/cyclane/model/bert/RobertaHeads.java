package io.cyclane.model.bert;

import io.cyclane.model.FirstTokenHeads;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.Transform;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.program.Recorder;

/**
 * RoBERTa's task heads: BERT's under other names, but that masked words always go through the exact
 * GELU, and that the dense layer texts are classified by is the head's own, not the pooler.
 *
 * <p>Source: arXiv:1907.11692.
 */
record RobertaHeads(BertConfig config, Parameter words) implements FirstTokenHeads {
    @Override
    public Tensor masked(Recorder g, Tensor x) {
        int width = config.width();
        Dense dense = Dense.biased("lm_head.dense", width, width);
        Norm norm = Norm.biased("lm_head.layer_norm", width, config.normEps());
        Parameter bias = Parameter.of("lm_head.bias", config.vocabulary());
        Tensor h = new Transform(dense, Activation.GELU, norm).forward(g, x);
        Dense scores = Dense.ofWords(words, config.isTied(), "lm_head.decoder.weight");
        return scores.with(bias).forward(g, h);
    }

    @Override
    public Tensor sequence(Recorder g, Tensor x, RaggedBatch batch, int labels) {
        Tensor h = g.activate(pooled(g, x, batch), Activation.TANH);
        return Dense.biased("classifier.out_proj", width(), labels).forward(g, h);
    }

    @Override
    public int width() {
        return config.width();
    }

    @Override
    public String pooler() {
        return "classifier.dense";
    }
}

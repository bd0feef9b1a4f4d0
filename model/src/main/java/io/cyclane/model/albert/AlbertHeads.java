package io.cyclane.model.albert;

import io.cyclane.model.FirstTokenHeads;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.Transform;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/**
 * ALBERT's task heads: BERT's, but that masked words are scored in the narrow width of their table.
 *
 * <p>Source: arXiv:1909.11942, section 3.1.
 */
record AlbertHeads(AlbertConfig config, Parameter words) implements FirstTokenHeads {
    @Override
    public Tensor masked(Recorder g, Tensor x) {
        Dense dense = Dense.biased("predictions.dense", config.width(), config.tableWidth());
        Norm norm = Norm.biased("predictions.LayerNorm", config.tableWidth(), config.normEps());
        Parameter bias = Parameter.of("predictions.bias", config.vocabulary());
        Tensor h = new Transform(dense, config.function(), norm).forward(g, x);
        Dense scores = Dense.ofWords(words, config.isTied(), "predictions.decoder.weight");
        return scores.with(bias).forward(g, h);
    }

    @Override
    public int width() {
        return config.width();
    }

    @Override
    public String pooler() {
        return "pooler";
    }
}

package io.cyclane.model.bert;

import io.cyclane.model.FirstTokenHeads;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.Transform;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/**
 * BERT's task heads.
 *
 * <p>Masked words: {@code words . LN(function(dense x)) + bias}, the word table once more unless
 * {@code tie_word_embeddings} is false. Source: arXiv:1810.04805, section 3.
 */
record BertHeads(BertConfig config, Parameter words) implements FirstTokenHeads {
    private static final String TRANSFORM = "cls.predictions.transform";

    @Override
    public Tensor masked(Recorder g, Tensor x) {
        int width = config.width();
        Dense dense = Dense.biased(TRANSFORM + ".dense", width, width);
        Norm norm = Norm.biased(TRANSFORM + ".LayerNorm", width, config.normEps());
        Parameter bias = Parameter.of("cls.predictions.bias", config.vocabulary());
        Tensor h = new Transform(dense, config.function(), norm).forward(g, x);
        Dense scores = Dense.ofWords(words, config.isTied(), "cls.predictions.decoder.weight");
        return scores.with(bias).forward(g, h);
    }

    @Override
    public int width() {
        return config.width();
    }

    @Override
    public String pooler() {
        return "pooler.dense";
    }
}

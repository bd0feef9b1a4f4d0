package io.cyclane.model.albert;

import io.cyclane.model.layer.Block;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.FeedForward;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.QkvNames;
import io.cyclane.model.layer.Round;
import io.cyclane.model.layer.SelfAttention;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;

/**
 * An ALBERT layer, norms last, as in BERT: {@code h = LN(x + attention(x)); y = LN(h +
 * feedForward(h))}.
 *
 * <p>Source: arXiv:1909.11942, section 3.1.
 */
record AlbertLayer(
        SelfAttention attention, Norm attentionNorm, FeedForward feedForward, Norm outputNorm)
        implements Block {

    /** A group's layer of this number, with its checkpoint names. */
    static AlbertLayer of(AlbertConfig config, int group, int number) {
        String name = "encoder.albert_layer_groups.%d.albert_layers.%d".formatted(group, number);
        int width = config.width();
        float eps = config.normEps();
        return new AlbertLayer(
                new SelfAttention(
                        Dense.biased(name + ".attention." + QkvNames.QKV, width, 3 * width),
                        Dense.biased(name + ".attention.dense", width, width),
                        config.heads()),
                Norm.biased(name + ".attention.LayerNorm", width, eps),
                new FeedForward(
                        Dense.biased(name + ".ffn", width, config.hidden()),
                        config.function(),
                        Dense.biased(name + ".ffn_output", config.hidden(), width)),
                Norm.biased(name + ".full_layer_layer_norm", width, eps));
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Tensor h = attentionNorm.forward(g, g.add(attention.forward(g, x, round.batch()), x));
        return outputNorm.forward(g, g.add(feedForward.forward(g, h), h));
    }
}

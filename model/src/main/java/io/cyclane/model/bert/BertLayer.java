package io.cyclane.model.bert;

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
 * A BERT layer, norms last: {@code h = LN(x + attention(x)); y = LN(h + feedForward(h))}.
 *
 * <p>Source: arXiv:1810.04805; layer form arXiv:1706.03762, section 3.1.
 */
record BertLayer(
        SelfAttention attention, Norm attentionNorm, FeedForward feedForward, Norm outputNorm)
        implements Block {

    /** The layer of this number, with its checkpoint names. */
    static BertLayer of(BertConfig config, int number) {
        String name = "encoder.layer." + number;
        int width = config.width();
        return new BertLayer(
                new SelfAttention(
                        Dense.biased(name + ".attention.self." + QkvNames.QKV, width, 3 * width),
                        Dense.biased(name + ".attention.output.dense", width, width),
                        config.heads()),
                Norm.biased(name + ".attention.output.LayerNorm", width, config.normEps()),
                new FeedForward(
                        Dense.biased(name + ".intermediate.dense", width, config.hidden()),
                        config.function(),
                        Dense.biased(name + ".output.dense", config.hidden(), width)),
                Norm.biased(name + ".output.LayerNorm", width, config.normEps()));
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Tensor h = attentionNorm.forward(g, g.add(attention.forward(g, x, round.batch()), x));
        return outputNorm.forward(g, g.add(feedForward.forward(g, h), h));
    }
}

package io.cyclane.model.modernbert;

import io.cyclane.model.layer.Block;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.GatedFeedForward;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.RotaryTable;
import io.cyclane.model.layer.SelfAttention;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Recorder;
import java.util.Optional;

/**
 * A ModernBERT layer, norms first: {@code h = x + attention(LN(x)); y = h + feedForward(LN(h))}.
 * The first layer's attention has no norm of its own: the embeddings' comes just before it.
 *
 * <p>Source: arXiv:2412.13663, section 2.1.
 */
record ModernBertLayer(
        Optional<Norm> attentionNorm,
        SelfAttention attention,
        Norm feedForwardNorm,
        GatedFeedForward feedForward)
        implements Block {

    /** The layer of this number, with its checkpoint names. */
    static ModernBertLayer of(ModernBertConfig config, int number, RotaryTable rotary) {
        String name = "layers." + number;
        int width = config.width();
        boolean isGlobal = config.isGlobal().get(number);
        return new ModernBertLayer(
                number == 0 ? Optional.empty() : Optional.of(norm(config, name + ".attn_norm")),
                new SelfAttention(
                        Dense.of(name + ".attn.Wqkv", width, 3 * width, config.attentionBias()),
                        Dense.of(name + ".attn.Wo", width, width, config.attentionBias()),
                        config.heads(),
                        isGlobal ? 0 : config.window(),
                        Optional.of(rotary)),
                norm(config, name + ".mlp_norm"),
                new GatedFeedForward(
                        Dense.of(
                                name + ".mlp.Wi",
                                width,
                                2 * config.hidden(),
                                config.feedForwardBias()),
                        config.function(),
                        Dense.of(
                                name + ".mlp.Wo",
                                config.hidden(),
                                width,
                                config.feedForwardBias())));
    }

    /** The norm of this name, as all of this architecture are. */
    static Norm norm(ModernBertConfig config, String name) {
        return Norm.of(name, config.width(), config.normEps(), config.normBias());
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, RaggedBatch batch) {
        Tensor normed = attentionNorm.map(norm -> norm.forward(g, x)).orElse(x);
        Tensor h = g.add(attention.forward(g, normed, batch), x);
        return g.add(feedForward.forward(g, feedForwardNorm.forward(g, h)), h);
    }
}

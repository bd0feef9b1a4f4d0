package io.cyclane.model.modernbert;

import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.GatedFeedForward;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.PreNormLayer;
import io.cyclane.model.layer.RotaryTables;
import io.cyclane.model.layer.SelfAttention;
import io.cyclane.model.layer.Sight;
import java.util.Optional;

/**
 * ModernBERT's layers with their checkpoint names. The first layer's attention has no norm of its
 * own: the embeddings' comes just before it.
 *
 * <p>Source: arXiv:2412.13663, section 2.1.
 */
final class ModernBertLayers {
    private ModernBertLayers() {}

    /** The layer of this number, with its checkpoint names. */
    static PreNormLayer of(ModernBertConfig config, int number, RotaryTables tables) {
        String name = "layers." + number;
        int width = config.width();
        Sight sight = config.sights().get(number);
        return new PreNormLayer(
                number == 0 ? Optional.empty() : Optional.of(norm(config, name + ".attn_norm")),
                new SelfAttention(
                        Dense.of(name + ".attn.Wqkv", width, 3 * width, config.attentionBias()),
                        Dense.of(name + ".attn.Wo", width, width, config.attentionBias()),
                        config.heads(),
                        sight.window(),
                        Optional.of(tables.of(sight.theta()))),
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
}

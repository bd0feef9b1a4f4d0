package io.cyclane.model.modernbert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.Pooling;
import io.cyclane.model.layer.Activations;
import io.cyclane.model.layer.Sight;
import io.cyclane.tensor.op.Activation;
import java.util.List;

/**
 * The shape of a ModernBERT encoder, as {@code config.json} has it, in its first dialect ({@code
 * global_attn_every_n_layers}, {@code global_rope_theta}, {@code local_rope_theta}) or the later
 * one ({@code layer_types}, {@code rope_parameters}), which counts where both are there.
 *
 * @param width D
 * @param hidden F, of the feed-forward's two halves each
 * @param positions the longest sequence
 * @param sights what each layer sees
 * @param isTied whether words are scored with the table that they are embedded with
 * @param classifierPooling how the vectors of tokens become one before texts are classified
 */
public record ModernBertConfig(
        int vocabulary,
        int width,
        int heads,
        int hidden,
        int positions,
        List<Sight> sights,
        Activation function,
        float normEps,
        boolean normBias,
        boolean attentionBias,
        boolean feedForwardBias,
        boolean isTied,
        boolean decoderBias,
        boolean classifierBias,
        Activation classifierFunction,
        Pooling classifierPooling) {
    private static final Sight.Defaults DEFAULTS = new Sight.Defaults(3, 160_000, 10_000);

    public ModernBertConfig {
        sights = List.copyOf(sights);
    }

    /** {@return how many layers there are} */
    public int layers() {
        return sights.size();
    }

    /** {@return the width of a head, K} */
    public int headWidth() {
        return width / heads;
    }

    /**
     * Reads the configuration.
     *
     * @throws CheckpointException when a setting is missing, or asks for what this encoder does not
     *     do
     */
    public static ModernBertConfig of(ModelConfig config) {
        int width = config.count("hidden_size");
        int heads = config.count("num_attention_heads");
        config.evenHeads(width, heads);
        int layers = config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_layers");
        return new ModernBertConfig(
                config.count("vocab_size"),
                width,
                heads,
                config.count("intermediate_size"),
                config.countUpTo(ModelConfig.MOST_POSITIONS, "max_position_embeddings"),
                Sight.read(config, layers, DEFAULTS),
                Activations.named(config, "hidden_activation"),
                config.normEps("norm_eps", 1e-5),
                config.flag("norm_bias", false),
                config.flag("attention_bias", false),
                config.flag("mlp_bias", false),
                config.flag("tie_word_embeddings", true),
                config.flag("decoder_bias", true),
                config.flag("classifier_bias", false),
                config.has("classifier_activation")
                        ? Activations.named(config, "classifier_activation")
                        : Activation.GELU,
                pooling(config));
    }

    private static Pooling pooling(ModelConfig config) {
        String name = config.string("classifier_pooling", "cls");
        return switch (name) {
            case "cls" -> Pooling.CLS;
            case "mean" -> Pooling.MEAN;
            default ->
                    throw new CheckpointException(
                            "%s: 'classifier_pooling' is '%s'; cls and mean are known"
                                    .formatted(config.source(), name));
        };
    }
}

package io.cyclane.model.modernbert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.Pooling;
import io.cyclane.model.layer.Activations;
import io.cyclane.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;

/**
 * The shape of a ModernBERT encoder, as {@code config.json} has it, in its first dialect ({@code
 * global_attn_every_n_layers}, {@code global_rope_theta}, {@code local_rope_theta}) or the later
 * one ({@code layer_types}, {@code rope_parameters}), which counts where both are there.
 *
 * @param width D
 * @param hidden F, of the feed-forward's two halves each
 * @param positions the longest sequence
 * @param window how far a token of a local layer sees to each side
 * @param isGlobal for each layer whether its tokens see the whole sequence
 * @param globalTheta base of the rotary frequencies in global layers
 * @param localTheta the same in local layers
 * @param isTied whether words are scored with the table that they are embedded with
 * @param classifierPooling how the vectors of tokens become one before texts are classified
 */
public record ModernBertConfig(
        int vocabulary,
        int width,
        int heads,
        int hidden,
        int positions,
        int window,
        List<Boolean> isGlobal,
        double globalTheta,
        double localTheta,
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
    /** Tables of angles are made for as many, before a text is seen. */
    private static final int MOST_POSITIONS = 1 << 17;

    private static final String GLOBAL = "full_attention";
    private static final String LOCAL = "sliding_attention";

    public ModernBertConfig {
        isGlobal = List.copyOf(isGlobal);
    }

    /** {@return how many layers there are} */
    public int layers() {
        return isGlobal.size();
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
        if (width % heads != 0 || width / heads % 2 != 0) {
            throw new CheckpointException(
                    "%s: 'hidden_size' %d can not be shared by %d heads of even width"
                            .formatted(config.source(), width, heads));
        }
        // Half to each side; at 1 a token would see itself alone.
        int local = config.integer("local_attention", 128);
        if (local < 2) {
            throw new CheckpointException(
                    "%s: 'local_attention' is %d; it must be at least 2"
                            .formatted(config.source(), local));
        }
        return new ModernBertConfig(
                config.count("vocab_size"),
                width,
                heads,
                config.count("intermediate_size"),
                config.countUpTo(MOST_POSITIONS, "max_position_embeddings"),
                local / 2,
                isGlobal(config),
                theta(config, GLOBAL, "global_rope_theta", 160_000),
                theta(config, LOCAL, "local_rope_theta", 10_000),
                Activations.named(config, "hidden_activation"),
                (float) config.number("norm_eps", 1e-5),
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

    private static List<Boolean> isGlobal(ModelConfig config) {
        int layers = config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_layers");
        List<Boolean> global = new ArrayList<>();
        if (!config.has("layer_types")) {
            int every = config.count("global_attn_every_n_layers", 3);
            for (int i = 0; i < layers; i++) {
                global.add(i % every == 0);
            }
            return global;
        }
        for (String type : config.strings("layer_types")) {
            if (!type.equals(GLOBAL) && !type.equals(LOCAL)) {
                throw new CheckpointException(
                        "%s: 'layer_types' names '%s'; %s and %s are known"
                                .formatted(config.source(), type, GLOBAL, LOCAL));
            }
            global.add(type.equals(GLOBAL));
        }
        if (global.size() != layers) {
            throw new CheckpointException(
                    "%s: 'layer_types' names %d layers, 'num_hidden_layers' is %d"
                            .formatted(config.source(), global.size(), layers));
        }
        return global;
    }

    private static double theta(ModelConfig config, String kind, String former, double otherwise) {
        double theta = config.number(former, otherwise);
        if (config.has("rope_parameters")) {
            ModelConfig rope = config.object("rope_parameters");
            ModelConfig own = rope.object(kind);
            own.only("rope_type", "default");
            theta = own.number("rope_theta");
        }
        if (!(theta > 1)) {
            throw new CheckpointException(
                    "%s: the rotary base of %s is %s; it must be above 1"
                            .formatted(config.source(), kind, theta));
        }
        return theta;
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

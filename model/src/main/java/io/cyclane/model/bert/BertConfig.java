package io.cyclane.model.bert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.Activations;
import io.cyclane.tensor.op.Activation;

/**
 * The shape of a BERT encoder, as {@code config.json} has it.
 *
 * @param vocabulary rows of the word table
 * @param width D
 * @param hidden width of the feed-forward's middle
 * @param positions the longest sequence
 */
public record BertConfig(
        int vocabulary,
        int width,
        int layers,
        int heads,
        int hidden,
        int positions,
        int types,
        Activation function,
        float normEps) {

    /**
     * Reads the configuration.
     *
     * @throws CheckpointException when a setting is missing, or asks for what this encoder does not
     *     do
     */
    public static BertConfig of(ModelConfig config) {
        only(
                config,
                "position_embedding_type",
                config.string("position_embedding_type", "absolute"),
                "absolute");
        only(config, "is_decoder", Boolean.toString(config.flag("is_decoder", false)), "false");
        BertConfig bert =
                new BertConfig(
                        count(config, "vocab_size"),
                        count(config, "hidden_size"),
                        count(config, "num_hidden_layers"),
                        count(config, "num_attention_heads"),
                        count(config, "intermediate_size"),
                        count(config, "max_position_embeddings"),
                        config.has("type_vocab_size") ? count(config, "type_vocab_size") : 2,
                        Activations.named(config, "hidden_act"),
                        (float) config.number("layer_norm_eps", 1e-12));
        if (bert.width % bert.heads != 0) {
            throw new CheckpointException(
                    "%s: 'hidden_size' %d can not be shared by %d heads"
                            .formatted(config.source(), bert.width, bert.heads));
        }
        return bert;
    }

    private static int count(ModelConfig config, String key) {
        int count = config.integer(key);
        if (count < 1) {
            throw new CheckpointException(
                    "%s: '%s' is %d; it must be at least 1".formatted(config.source(), key, count));
        }
        return count;
    }

    private static void only(ModelConfig config, String key, String value, String known) {
        if (!value.equals(known)) {
            throw new CheckpointException(
                    "%s: '%s' is %s; only %s is supported"
                            .formatted(config.source(), key, value, known));
        }
    }
}

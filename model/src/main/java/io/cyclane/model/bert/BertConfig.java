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
                        config.integer("vocab_size"),
                        config.integer("hidden_size"),
                        config.integer("num_hidden_layers"),
                        config.integer("num_attention_heads"),
                        config.integer("intermediate_size"),
                        config.integer("max_position_embeddings"),
                        config.integer("type_vocab_size", 2),
                        Activations.named(config, "hidden_act"),
                        (float) config.number("layer_norm_eps", 1e-12));
        if (bert.heads < 1 || bert.width % bert.heads != 0) {
            throw new CheckpointException(
                    "%s: 'hidden_size' %d can not be shared by %d heads"
                            .formatted(config.source(), bert.width, bert.heads));
        }
        return bert;
    }

    private static void only(ModelConfig config, String key, String value, String known) {
        if (!value.equals(known)) {
            throw new CheckpointException(
                    "%s: '%s' is %s; only %s is supported"
                            .formatted(config.source(), key, value, known));
        }
    }
}

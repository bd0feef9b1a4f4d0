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
        config.only("position_embedding_type", "absolute");
        config.only("is_decoder", false);
        BertConfig bert =
                new BertConfig(
                        config.count("vocab_size"),
                        config.count("hidden_size"),
                        config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_layers"),
                        config.count("num_attention_heads"),
                        config.count("intermediate_size"),
                        config.count("max_position_embeddings"),
                        config.count("type_vocab_size", 2),
                        Activations.named(config, "hidden_act"),
                        (float) config.number("layer_norm_eps", 1e-12));
        config.heads(bert.width, bert.heads);
        return bert;
    }
}

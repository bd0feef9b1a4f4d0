package io.cyclane.model.albert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.Activations;
import io.cyclane.tensor.op.Activation;

/**
 * The shape of an ALBERT encoder, as {@code config.json} has it.
 *
 * @param tableWidth E, the width of the embedding tables
 * @param width D
 * @param layers the depth with all rounds written out
 * @param groups how many groups of weights there are; each is applied layers / groups times
 * @param groupLayers how many layers in a row a group is
 * @param hidden width of the feed-forward's middle
 * @param positions the longest sequence
 * @param isTied whether words are scored with the table that they are embedded with
 */
public record AlbertConfig(
        int vocabulary,
        int tableWidth,
        int width,
        int layers,
        int groups,
        int groupLayers,
        int heads,
        int hidden,
        int positions,
        int types,
        Activation function,
        float normEps,
        boolean isTied) {
    private static final int MOST_GROUP_LAYERS = 64;

    /**
     * Reads the configuration.
     *
     * @throws CheckpointException when a setting is missing, or asks for what this encoder does not
     *     do
     */
    public static AlbertConfig of(ModelConfig config) {
        config.only("position_embedding_type", "absolute");
        config.only("is_decoder", false);
        AlbertConfig albert =
                new AlbertConfig(
                        config.count("vocab_size"),
                        config.count("embedding_size"),
                        config.count("hidden_size"),
                        config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_layers"),
                        config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_groups", 1),
                        config.countUpTo(MOST_GROUP_LAYERS, "inner_group_num", 1),
                        config.count("num_attention_heads"),
                        config.count("intermediate_size"),
                        config.count("max_position_embeddings"),
                        config.count("type_vocab_size", 2),
                        Activations.named(config, "hidden_act"),
                        config.normEps("layer_norm_eps", 1e-12),
                        config.flag("tie_word_embeddings", true));
        config.heads(albert.width, albert.heads);
        if (albert.layers % albert.groups != 0) {
            throw new CheckpointException(
                    "%s: %d layers can not be shared by 'num_hidden_groups' %d"
                            .formatted(config.source(), albert.layers, albert.groups));
        }
        return albert;
    }

    /** {@return how often each group is applied} */
    public int rounds() {
        return layers / groups;
    }
}

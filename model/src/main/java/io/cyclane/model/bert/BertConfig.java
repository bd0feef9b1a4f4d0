package io.cyclane.model.bert;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.Activations;
import io.cyclane.tensor.op.Activation;

/**
 * The shape of a BERT encoder, as {@code config.json} has it.
 *
 * @param family whose names and heads a checkpoint has
 * @param vocabulary rows of the word table
 * @param width D
 * @param hidden width of the feed-forward's middle
 * @param positions the longest sequence
 * @param firstPosition the row of the position table that a sequence's first token takes
 * @param isTied whether words are scored with the table that they are embedded with
 */
public record BertConfig(
        Family family,
        int vocabulary,
        int width,
        int layers,
        int heads,
        int hidden,
        int positions,
        int firstPosition,
        int types,
        Activation function,
        float normEps,
        boolean isTied) {

    /** Encoders of BERT's layers, whose checkpoints and heads differ. */
    public enum Family {
        /** BERT itself. */
        BERT,
        /**
         * RoBERTa and XLM-RoBERTa: {@code padding_idx}, the padding token's id, and the rows of the
         * position table before it are no token's place, so that a text begins at {@code
         * padding_idx + 1}. Source: arXiv:1907.11692 and its authors' program, fairseq.
         */
        ROBERTA
    }

    /**
     * Reads the configuration of one of BERT's kin.
     *
     * @throws CheckpointException when a setting is missing, or asks for what this encoder does not
     *     do
     */
    public static BertConfig of(Family family, ModelConfig config) {
        config.only("position_embedding_type", "absolute");
        config.only("is_decoder", false);
        int rows = config.count("max_position_embeddings");
        int first = family == Family.ROBERTA ? config.integer("pad_token_id", 1) + 1 : 0;
        if (first < 0 || first >= rows) {
            throw new CheckpointException(
                    "%s: 'pad_token_id' %d leaves no places of %d 'max_position_embeddings'"
                            .formatted(config.source(), first - 1, rows));
        }
        BertConfig bert =
                new BertConfig(
                        family,
                        config.count("vocab_size"),
                        config.count("hidden_size"),
                        config.countUpTo(ModelConfig.MOST_LAYERS, "num_hidden_layers"),
                        config.count("num_attention_heads"),
                        config.count("intermediate_size"),
                        rows - first,
                        first,
                        config.count("type_vocab_size", 2),
                        Activations.named(config, "hidden_act"),
                        config.normEps("layer_norm_eps", 1e-12),
                        config.flag("tie_word_embeddings", true));
        config.heads(bert.width, bert.heads);
        return bert;
    }
}

package io.cyclane.model;

import io.cyclane.model.albert.Albert;
import io.cyclane.model.albert.AlbertConfig;
import io.cyclane.model.bert.Bert;
import io.cyclane.model.bert.BertConfig;
import io.cyclane.model.bert.BertConfig.Family;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.embeddings.StaticEmbeddings;
import io.cyclane.model.modernalbert.ModernAlbert;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import io.cyclane.model.modernbert.ModernBert;
import io.cyclane.model.modernbert.ModernBertConfig;

/** The architectures we know, by {@code model_type}. */
final class Architectures {
    private Architectures() {}

    /**
     * {@return the encoder a folder describes}
     *
     * @throws CheckpointException when its architecture is not one of ours
     */
    static TokenEncoder of(ModelFolder folder) {
        ModelConfig config = folder.config();
        String type = config.string("model_type");
        return switch (type) {
            case "albert" -> new Albert(AlbertConfig.of(config));
            case "bert" -> new Bert(BertConfig.of(Family.BERT, config));
            case "model2vec" -> StaticEmbeddings.of(folder);
            case "modernalbert", "ModernALBERT", "ModernALBERT_MoL" ->
                    new ModernAlbert(ModernAlbertConfig.of(config));
            case "modernbert" -> new ModernBert(ModernBertConfig.of(config));
            case "roberta", "xlm-roberta" -> new Bert(BertConfig.of(Family.ROBERTA, config));
            default ->
                    throw new CheckpointException(
                            "%s: 'model_type' is '%s'; known are albert, bert, model2vec, modernalbert, modernbert, roberta and xlm-roberta"
                                    .formatted(config.source(), type));
        };
    }
}

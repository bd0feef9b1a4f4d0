package io.cyclane.model;

import io.cyclane.model.bert.Bert;
import io.cyclane.model.bert.BertConfig;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;

/** The architectures we know, by {@code model_type}. */
final class Architectures {
    private Architectures() {}

    /**
     * {@return the encoder a configuration describes}
     *
     * @throws CheckpointException when its architecture is not one of ours
     */
    static TokenEncoder of(ModelConfig config) {
        String type = config.string("model_type");
        return switch (type) {
            case "bert" -> new Bert(BertConfig.of(config));
            default ->
                    throw new CheckpointException(
                            "%s: 'model_type' is '%s'; known is bert"
                                    .formatted(config.source(), type));
        };
    }
}

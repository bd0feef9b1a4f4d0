package io.cyclane.serve;

import java.util.OptionalInt;

/** Where the commands get a model from. */
@FunctionalInterface
public interface ModelSource {
    /**
     * {@return an open model, to be closed by the caller}
     *
     * @param name an alias such as {@code minilm}, or a folder that holds a checkpoint
     * @param maxTokens how many tokens of a text to read, instead of the model's default
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, or it can not be read
     */
    EmbeddingModel open(String name, OptionalInt maxTokens);
}

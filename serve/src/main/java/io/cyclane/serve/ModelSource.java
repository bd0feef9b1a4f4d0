package io.cyclane.serve;

import io.cyclane.model.Capacity;
import io.cyclane.model.LongTexts;
import io.cyclane.model.PlanReport;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Where the commands get a model from. */
public interface ModelSource {
    /**
     * {@return an open model, to be closed by the caller}
     *
     * @param name an alias such as {@code minilm}, or a folder that holds a checkpoint
     * @param maxTokens how many tokens of a text to read, instead of the model's default
     * @param longTexts what becomes of texts beyond that, instead of being cut
     * @param weightMap the table by which its tensors are renamed
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, or it can not be read
     */
    EmbeddingModel open(
            String name,
            OptionalInt maxTokens,
            Optional<LongTexts> longTexts,
            Optional<Path> weightMap);

    /**
     * {@return the memory that runs of a capacity take} No weight is loaded.
     *
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, or it can not be read
     */
    PlanReport plan(String name, Capacity capacity);
}

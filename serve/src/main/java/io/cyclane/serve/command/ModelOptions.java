package io.cyclane.serve.command;

import io.cyclane.serve.EmbeddingModel;
import io.cyclane.serve.ModelSource;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which model a command runs, and how much of a text it reads. */
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--model",
            paramLabel = "M",
            defaultValue = "minilm",
            description = "an alias or a checkpoint's folder (default: ${DEFAULT-VALUE})")
    private String model;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "how many tokens of a text to read (default: the model's)")
    private @Nullable Integer maxTokens;

    /** {@return the model, open; the caller closes it} */
    EmbeddingModel open(ModelSource models) {
        if (maxTokens != null && maxTokens < 1) {
            throw new ParameterException(
                    command.commandLine(), "--max-tokens is at least 1, not " + maxTokens);
        }
        return models.open(
                model, maxTokens == null ? OptionalInt.empty() : OptionalInt.of(maxTokens));
    }
}

package io.cyclane.serve.command;

import io.cyclane.model.checkpoint.ModelAliases;
import io.cyclane.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The model whose files a command reads, without opening it for a task. */
final class StoredModel {
    @Option(
            names = "--model",
            paramLabel = "M",
            required = true,
            description = "an alias or a checkpoint's folder")
    private String name;

    @Mixin private WeightMapOption names;

    String name() {
        return name;
    }

    Optional<Path> weightMap() {
        return names.file();
    }

    /** {@return the tokenizer in its folder} */
    Tokenizer tokenizer() {
        return Tokenizer.load(ModelAliases.resolve(name));
    }
}

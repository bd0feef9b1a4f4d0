package io.cyclane.serve.command;

import io.cyclane.serve.EmbeddingModel;
import io.cyclane.serve.EmbeddingModel.ModelInfo;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints what a model is. */
@Command(
        name = "info",
        description = "Print a model's architecture, parameters, rounds and number type.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Info implements Callable<Integer> {
    private final Cyclane cyclane;

    @Mixin private ModelOptions model;

    @Option(names = "--json", description = "print one object instead of a line a property")
    private boolean json;

    Info(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        ModelInfo info;
        try (EmbeddingModel open = model.open(cyclane.models())) {
            info = open.info();
        }
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeStringProperty("architecture", info.architecture());
                        line.writeNumberProperty("parameters", info.parameters());
                        line.writeNumberProperty("rounds", info.rounds());
                        line.writeStringProperty("dtype", info.dtype());
                        line.writeNumberProperty("dimensions", info.dimensions());
                        line.writeNumberProperty("max_tokens", info.maxTokens());
                        line.writeStringProperty("backend", info.backend());
                    });
        } else {
            cyclane.out()
                    .append(
                            String.format(
                                    Locale.ROOT,
                                    "architecture  %s\nparameters    %,d\nrounds        %d\n"
                                            + "dtype         %s\ndimensions    %d\n"
                                            + "max tokens    %d\nbackend       %s\n",
                                    info.architecture(),
                                    info.parameters(),
                                    info.rounds(),
                                    info.dtype(),
                                    info.dimensions(),
                                    info.maxTokens(),
                                    info.backend()));
        }
        cyclane.flush();
        return 0;
    }
}

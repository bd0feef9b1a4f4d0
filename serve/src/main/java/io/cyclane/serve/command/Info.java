package io.cyclane.serve.command;

import io.cyclane.model.ModelInfo;
import io.cyclane.serve.EmbeddingModel;
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
                        line.writeNumberProperty("layers", info.layers());
                        line.writeNumberProperty("rounds", info.rounds());
                        line.writeStringProperty("dtype", info.dtype());
                        line.writeNumberProperty("dimension", info.dimension());
                        line.writeNumberProperty("max_tokens", info.maxTokens());
                        line.writeStringProperty("pooling", info.pooling());
                        line.writeStringProperty("backend", info.backend());
                        line.writeNumberProperty("weight_bytes", info.weightBytesTotal());
                        line.writeNumberProperty("session_bytes", info.sessionBytes());
                        line.writeNumberProperty("sessions", info.sessions());
                        line.writeNumberProperty("total_bytes", info.totalBytes());
                    });
        } else {
            row("architecture", info.architecture());
            row("parameters", "%,d", info.parameters());
            row("layers", "%d", info.layers());
            row("rounds", "%d", info.rounds());
            row("dtype", info.dtype());
            row("dimension", "%d", info.dimension());
            row("max tokens", "%d", info.maxTokens());
            row("pooling", info.pooling());
            row("backend", info.backend());
            info.weightBytes()
                    .forEach((layout, bytes) -> row("weights", "%,d bytes as %s", bytes, layout));
            row("sessions", "%d of %,d bytes", info.sessions(), info.sessionBytes());
            row("memory", "%,d bytes", info.totalBytes());
        }
        cyclane.flush();
        return 0;
    }

    private void row(String name, String format, Object... values) {
        String value = String.format(Locale.ROOT, format, values);
        cyclane.out().append(String.format(Locale.ROOT, "%-14s%s\n", name, value));
    }
}

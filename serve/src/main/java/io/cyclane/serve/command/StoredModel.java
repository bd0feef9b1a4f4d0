package io.cyclane.serve.command;

import picocli.CommandLine.Option;

/** The model whose files a command reads, without opening it. */
final class StoredModel {
    @Option(
            names = "--model",
            paramLabel = "M",
            required = true,
            description = "an alias or a checkpoint's folder")
    private String name;

    String name() {
        return name;
    }
}

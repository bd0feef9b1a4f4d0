package io.cyclane.serve.command;

import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where a command writes a model's folder. */
final class OutFolder {
    @Option(
            names = "--out",
            paramLabel = "DIR",
            required = true,
            description = "the folder to write")
    private Path folder;

    @Mixin private Replacing replacing;

    Path folder() {
        return folder;
    }

    boolean replaces() {
        return replacing.isAllowed();
    }
}

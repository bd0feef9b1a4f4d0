package io.cyclane.serve.command;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where a command writes a model's folder. */
final class OutFolder {
    @Option(
            names = "--out",
            paramLabel = "DIR",
            required = true,
            description = "the folder to write")
    private Path folder;

    @Option(names = "--force", description = "replace the folder if it is there already")
    private boolean force;

    Path folder() {
        return folder;
    }

    boolean replaces() {
        return force;
    }
}

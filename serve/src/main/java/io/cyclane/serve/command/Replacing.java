package io.cyclane.serve.command;

import io.cyclane.model.checkpoint.AtomicFiles;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Whether what a command writes may take the place of what is there already. */
final class Replacing {
    @Option(
            names = "--force",
            description = "replace what is there already: a file, or a model's folder")
    private boolean force;

    boolean isAllowed() {
        return force;
    }

    /**
     * {@return the file to write}
     *
     * @throws io.cyclane.model.checkpoint.CheckpointException when it is there and may not be
     *     replaced
     */
    Path file(Path file) {
        AtomicFiles.check(file, force);
        return file;
    }
}

package io.cyclane.serve.command;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** By which names a checkpoint's tensors are known, where they are not ours. */
final class WeightMapOption {
    @Option(
            names = "--weight-map",
            paramLabel = "FILE",
            description =
                    "a table for a checkpoint with names of its own, a line each: regular"
                            + " expression -> slot")
    private @Nullable Path file;

    Optional<Path> file() {
        return Optional.ofNullable(file);
    }
}

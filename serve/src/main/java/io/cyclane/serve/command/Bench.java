package io.cyclane.serve.command;

import io.cyclane.tensor.CyclaneException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/**
 * Stands in the list of commands for what {@code bin/cyclane} hands to {@code bin/bench}: the
 * measurements and the libraries beside which they are taken are no part of what users get.
 */
@Command(
        name = "bench",
        description =
                "Measure beside native libraries: gemm, encoder, ops, cold (from a checkout).")
final class Bench implements Callable<Integer> {
    @Unmatched private List<String> arguments = List.of();

    @Override
    public Integer call() {
        throw new NotHereException(
                "measurements are run from a checkout, on Linux or macOS: bin/cyclane bench "
                        + String.join(" ", arguments));
    }

    /** A command that this program lists but leaves to another. */
    static final class NotHereException extends CyclaneException {
        private static final long serialVersionUID = 1L;

        NotHereException(String message) {
            super(message);
        }
    }
}

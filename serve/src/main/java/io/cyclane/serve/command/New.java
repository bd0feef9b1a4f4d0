package io.cyclane.serve.command;

import io.cyclane.model.ModernAlbertVariant;
import io.cyclane.model.NewModel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a ModernALBERT to be trained. */
@Command(
        name = "new",
        description = "Make a ModernALBERT to be trained: settings, weights, tokenizer.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class New implements Callable<Integer> {
    private final Cyclane cyclane;

    @Mixin private OutFolder out;

    @Option(
            names = "--variant",
            paramLabel = "V",
            required = true,
            description = "${COMPLETION-CANDIDATES}")
    private ModernAlbertVariant variant;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "where its random numbers begin (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--rounds",
            paramLabel = "G",
            description = "how often each group is applied (default: the variant's)")
    private @Nullable Integer rounds;

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR",
            description = "a tokenizer's file or folder, to be copied beside it")
    private @Nullable Path tokenizer;

    New(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        OptionalInt each = rounds == null ? OptionalInt.empty() : OptionalInt.of(rounds);
        NewModel.Report report =
                NewModel.write(
                        new NewModel.Plan(variant, seed, each, Optional.ofNullable(tokenizer)),
                        out.folder(),
                        out.replaces());
        cyclane.out()
                .append(
                        String.format(
                                Locale.ROOT,
                                "%s: %s, %,d parameters, %d layers deep in groups of %d round%s\n",
                                out.folder(),
                                variant.name().toLowerCase(Locale.ROOT),
                                report.parameters(),
                                report.layers(),
                                report.rounds(),
                                report.rounds() == 1 ? "" : "s"));
        cyclane.flush();
        if (tokenizer == null) {
            cyclane.terminal()
                    .err()
                    .printf(
                            "%s has no tokenizer yet, and texts can not be read without: put one in, or make it with --tokenizer DIR%n",
                            out.folder());
        }
        return 0;
    }
}

package io.cyclane.serve.command;

import io.cyclane.model.ExpertMerge;
import io.cyclane.model.Inspector;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.train.data.Lines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Replaces routed experts by one update for all tokens. */
@Command(
        name = "merge",
        description = "Merge a ModernALBERT's experts into one update for all tokens.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Merge implements Callable<Integer> {
    /** Texts are compared up to here: routing and error are gathered token by token. */
    private static final int USUAL_TOKENS = 512;

    private final Cyclane cyclane;

    @Spec private CommandSpec spec;
    @Mixin private StoredModel model;
    @Mixin private OutFolder out;

    @Option(
            names = "--mode",
            paramLabel = "M",
            defaultValue = "UNIFORM",
            description =
                    "${COMPLETION-CANDIDATES}: all alike, or by use (default: ${DEFAULT-VALUE})")
    private ExpertMerge.Mode mode;

    @Option(
            names = "--over",
            paramLabel = "O",
            defaultValue = "PRODUCT",
            description = "${COMPLETION-CANDIDATES}: what is averaged (default: ${DEFAULT-VALUE})")
    private ExpertMerge.Over over;

    @Option(
            names = "--emit",
            paramLabel = "E",
            defaultValue = "FOLD",
            description =
                    "${COMPLETION-CANDIDATES}: into the weights, or beside them as they are or of"
                            + " rank r (default: ${DEFAULT-VALUE})")
    private ExpertMerge.Emit emit;

    @Option(names = "--rank", paramLabel = "R", description = "the rank r, for svd")
    private @Nullable Integer rank;

    @Option(
            names = "--calibrate",
            paramLabel = "FILE",
            description =
                    "texts, one a line, to see by which experts are used and how far outputs move"
                            + " (default: random tokens, for the latter alone)")
    private @Nullable Path texts;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "how many tokens of a text to read (default: 512, or the model's)")
    private @Nullable Integer maxTokens;

    @Option(names = "--json", description = "print one object instead of lines")
    private boolean json;

    Merge(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        if (maxTokens != null && maxTokens < 1) {
            throw wrong("--max-tokens is at least 1, not " + maxTokens);
        }
        if (mode == ExpertMerge.Mode.EMA && texts == null) {
            throw wrong("--mode ema goes by how routers use experts: give texts with --calibrate");
        }
        ExpertMerge.Plan plan;
        try {
            OptionalInt wanted = rank == null ? OptionalInt.empty() : OptionalInt.of(rank);
            plan = new ExpertMerge.Plan(mode, over, emit, wanted);
        } catch (IllegalArgumentException e) {
            throw wrong("--emit, --rank: " + e.getMessage());
        }
        if (texts == null) {
            print(write(plan, Optional.empty()));
        } else {
            OptionalInt wanted =
                    maxTokens == null ? OptionalInt.empty() : OptionalInt.of(maxTokens);
            int limit = Inspector.limit(model.name(), model.weightMap(), wanted, USUAL_TOKENS);
            Calibration calibration = new Calibration(texts, model.tokenizer(), limit);
            print(write(plan, Optional.of(calibration), texts));
            calibration.report.print(cyclane, limit);
        }
        cyclane.flush();
        return 0;
    }

    private ExpertMerge.Report write(
            ExpertMerge.Plan plan, Optional<ExpertMerge.Texts> ids, Path... sources) {
        return ExpertMerge.write(
                model.name(), model.weightMap(), plan, ids, out.folder(), out.replaces(), sources);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** The texts of a file, tokenized anew each time they are gone through. */
    private final class Calibration implements ExpertMerge.Texts {
        private final Path file;
        private final Tokenizer tokenizer;
        private final int limit;
        private LongTextReport report = new LongTextReport();

        Calibration(Path file, Tokenizer tokenizer, int limit) {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                throw wrong("--calibrate " + file + " is read more than once: give a plain file");
            }
            this.file = file;
            this.tokenizer = tokenizer;
            this.limit = limit;
        }

        @Override
        public void forEach(Consumer<int[]> each) {
            report = new LongTextReport();
            boolean isEmpty = true;
            TokenBatch batch = new TokenBatch();
            try (Lines lines = Lines.open(file)) {
                while (lines.next()) {
                    String text = lines.text();
                    if (!text.isBlank()) {
                        isEmpty = false;
                        batch.clear();
                        tokenizer.encode(text, limit, batch);
                        report.add(1, batch.truncated(), 0);
                        each.accept(Arrays.copyOf(batch.ids(), batch.tokens()));
                    }
                }
            }
            if (isEmpty) {
                throw wrong("--calibrate " + file + " holds no text");
            }
        }
    }

    private void print(ExpertMerge.Report report) {
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeNumberProperty("rank", report.rank());
                        line.writeNumberProperty("texts", report.texts());
                        line.writeNumberProperty("tokens", report.tokens());
                        line.writeNumberProperty("mean_cosine", report.meanCosine());
                        line.writeNumberProperty("max_error", report.maxError());
                        line.writeNumberProperty("rms", report.rms());
                        line.writeObjectPropertyStart("shares");
                        report.shares()
                                .forEach((layer, shares) -> {
                                    line.writeArrayPropertyStart(layer);
                                    for (double share : shares) {
                                        line.writeNumber(share);
                                    }
                                    line.writeEndArray();
                                });
                        line.writeEndObject();
                    });
            return;
        }
        report.shares()
                .forEach((layer, shares) -> {
                    StringBuilder row = new StringBuilder(layer);
                    for (double share : shares) {
                        row.append(String.format(Locale.ROOT, " %.4f", share));
                    }
                    cyclane.out().append(row).append('\n');
                });
        cyclane.out()
                .append(
                        String.format(
                                Locale.ROOT,
                                "%s: %s\n"
                                        + "hidden states of %,d tokens in %d texts%s, before and after: mean cosine %.6f,"
                                        + " max error %.3g (RMS %.3g)\n",
                                out.folder(),
                                report.rank() == 0
                                        ? "folded into the weights"
                                        : "beside the weights, rank " + report.rank(),
                                report.tokens(),
                                report.texts(),
                                texts == null ? " of random tokens" : "",
                                report.meanCosine(),
                                report.maxError(),
                                report.rms()));
    }
}

package io.cyclane.serve.command;

import io.cyclane.model.Capacity;
import io.cyclane.model.LongTexts;
import io.cyclane.model.ModelLoader;
import io.cyclane.model.PlanReport;
import io.cyclane.serve.EmbeddingModel;
import io.cyclane.serve.ModelSource;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which model a command runs, and how much of a text it reads. */
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--model",
            paramLabel = "M",
            defaultValue = "minilm",
            description = "an alias or a checkpoint's folder (default: ${DEFAULT-VALUE})")
    private String model;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "how many tokens of a text to read (default: the model's)")
    private @Nullable Integer maxTokens;

    /** What becomes of a text beyond the limit. */
    enum Choice {
        TRUNCATE(LongTexts.TRUNCATE),
        CHUNK(LongTexts.CHUNK);

        private final LongTexts meaning;

        Choice(LongTexts meaning) {
            this.meaning = meaning;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--long",
            paramLabel = "C",
            description =
                    "truncate texts beyond the limit, or chunk them: read them in parts and join"
                            + " the results (default: truncate, but for answer)")
    private @Nullable Choice longTexts;

    @Mixin private WeightMapOption names;

    @Option(
            names = "--backend",
            paramLabel = "B",
            description =
                    "cpu, gpu, reference, auto (small batches on the CPU, large"
                            + " ones on a GPU) or both (lists shared out); default: the best that can run")
    private @Nullable String backend;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "how many threads compute (default: one per processor)")
    private @Nullable Integer threads;

    @Option(
            names = "--vector-bits",
            paramLabel = "N",
            description = "128, 256 or 512 (default: the widest there is)")
    private @Nullable Integer vectorBits;

    /** {@return the model, open; the caller closes it} */
    EmbeddingModel open(ModelSource models) {
        atLeastOne("--max-tokens", maxTokens);
        set();
        OptionalInt limit = maxTokens == null ? OptionalInt.empty() : OptionalInt.of(maxTokens);
        return models.open(model, limit, longTexts(), names.file());
    }

    /** {@return a loader of the model with these options, for tasks with a head} */
    ModelLoader loader() {
        atLeastOne("--max-tokens", maxTokens);
        set();
        ModelLoader loader = ModelLoader.of(model);
        if (maxTokens != null) {
            loader.maxTokens(maxTokens);
        }
        longTexts().ifPresent(loader::longTexts);
        names.file().ifPresent(loader::weightMap);
        return loader;
    }

    private Optional<LongTexts> longTexts() {
        return Optional.ofNullable(longTexts).map(choice -> choice.meaning);
    }

    /** {@return the memory that runs of a capacity take} */
    PlanReport plan(ModelSource models, Capacity capacity) {
        set();
        return models.plan(model, capacity);
    }

    /**
     * The options that are settings of the whole process; they are read when the backend is opened.
     */
    void set() {
        atLeastOne("--threads", threads);
        property("cyclane.backend", backend);
        property("cyclane.threads", threads);
        property("cyclane.vectorBits", vectorBits);
    }

    private static void property(String name, @Nullable Object value) {
        if (value != null) {
            System.setProperty(name, value.toString());
        }
    }

    private void atLeastOne(String option, @Nullable Integer value) {
        if (value != null && value < 1) {
            throw new ParameterException(
                    command.commandLine(), option + " is at least 1, not " + value);
        }
    }
}

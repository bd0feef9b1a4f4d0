package io.cyclane.serve.command;

import io.cyclane.model.Capacity;
import io.cyclane.model.PlanReport;
import io.cyclane.serve.EmbeddingModel;
import io.cyclane.serve.ModelSource;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
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

    @Option(
            names = "--backend",
            paramLabel = "B",
            description = "cpu or reference (default: the best that can run)")
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
        return models.open(
                model, maxTokens == null ? OptionalInt.empty() : OptionalInt.of(maxTokens));
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

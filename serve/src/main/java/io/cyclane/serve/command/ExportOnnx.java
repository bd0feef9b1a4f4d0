package io.cyclane.serve.command;

import io.cyclane.model.OnnxExport;
import io.cyclane.model.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model as an ONNX file. */
@Command(
        name = "onnx",
        description = "Write a model as an ONNX file with a dynamic batch and length.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class ExportOnnx implements Callable<Integer> {
    /** What the file is to do. */
    enum Job {
        EMBED(Task.EMBEDDING),
        CLASSIFY(Task.CLASSIFICATION),
        ENTITIES(Task.TOKEN_CLASSIFICATION),
        RERANK(Task.RERANKING),
        ANSWER(Task.QUESTION_ANSWERING),
        FILL(Task.FILL_MASK);

        private final Task task;

        Job(Task task) {
            this.task = task;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Cyclane cyclane;

    @Mixin private HeadOptions head;

    @Mixin private StoredModel model;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            required = true,
            description = "the file to write")
    private Path out;

    @Mixin private Replacing replacing;

    @Option(
            names = "--task",
            paramLabel = "T",
            defaultValue = "embed",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    private Job job;

    @Option(
            names = "--form",
            paramLabel = "F",
            defaultValue = "standard",
            description =
                    "standard, or fused: with ONNX Runtime's own operations, faster there"
                            + " (default: ${DEFAULT-VALUE})")
    private OnnxExport.Form form;

    @Option(
            names = "--routing-inputs",
            description =
                    "let callers give the routers' choices: inputs experts and gates, which may be"
                            + " left out; a negative gate leaves a choice to the router too")
    private boolean isOpen;

    ExportOnnx(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        OnnxExport.Routing routing = isOpen ? OnnxExport.Routing.OPEN : OnnxExport.Routing.CLOSED;
        OnnxExport.write(
                model.name(),
                model.weightMap(),
                job.task,
                replacing.file(out),
                form,
                head.mayBeRandom(),
                routing);
        try {
            long bytes = Files.size(out);
            cyclane.out().append(String.format(Locale.ROOT, "%s: %,d bytes\n", out, bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cyclane.flush();
        return 0;
    }
}

package io.cyclane.serve.command;

import io.cyclane.model.Embeddings;
import io.cyclane.train.data.Lines;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the vector of each text. */
@Command(
        name = "embed",
        description = "Print the vector of each text, one a line.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Embed implements Callable<Integer> {
    /** A batch from standard input ends at as many texts or characters, whichever comes first. */
    private static final int BATCH_TEXTS = 512;

    private static final int BATCH_CHARACTERS = 1 << 20;

    private final Cyclane cyclane;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;

    @Option(
            names = "--json",
            description = "print {\"text\":..,\"tokens\":..,\"vector\":[..]} for each text")
    private boolean json;

    @Parameters(
            paramLabel = "TEXT",
            arity = "1..*",
            description = "texts; or a lone - for those on standard input, one a line")
    private List<String> texts;

    Embed(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        boolean piped = texts.contains("-");
        if (piped && texts.size() > 1) {
            throw new ParameterException(spec.commandLine(), "either texts or a lone -, not both");
        }
        try (Embedder embedder = new Embedder(model, cyclane);
                ProgressDisplay progress = cyclane.progress()) {
            if (piped) {
                embedLines(embedder, progress);
            } else {
                print(texts, embedder.run(texts));
            }
        }
        return 0;
    }

    private void embedLines(Embedder embedder, ProgressDisplay progress) {
        long done = 0;
        try (Lines lines = Lines.of("standard input", cyclane.terminal().in())) {
            List<String> batch = batch(lines);
            while (!batch.isEmpty()) {
                print(batch, embedder.run(batch));
                done += batch.size();
                progress.reached("texts", done, 0);
                batch = batch(lines);
            }
        }
    }

    private static List<String> batch(Lines lines) {
        List<String> batch = new ArrayList<>();
        long characters = 0;
        while (batch.size() < BATCH_TEXTS && characters < BATCH_CHARACTERS && lines.next()) {
            String text = lines.text();
            batch.add(text);
            characters += text.length();
        }
        return batch;
    }

    private void print(List<String> batch, Embeddings embedded) {
        for (int i = 0; i < batch.size(); i++) {
            float[] vector = embedded.vectors()[i];
            if (json) {
                String text = batch.get(i);
                int tokens = embedded.tokens()[i];
                Json.line(
                        cyclane.out(),
                        line -> {
                            line.writeStringProperty("text", text);
                            line.writeNumberProperty("tokens", tokens);
                            Json.vector(line, "vector", vector);
                        });
            } else {
                printPlain(vector);
            }
        }
        cyclane.flush();
    }

    private void printPlain(float[] vector) {
        for (int i = 0; i < vector.length; i++) {
            cyclane.out().append(i == 0 ? "" : " ").append(Float.toString(vector[i]));
        }
        cyclane.out().append('\n');
    }
}

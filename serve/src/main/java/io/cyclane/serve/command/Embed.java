package io.cyclane.serve.command;

import io.cyclane.model.Embeddings;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the vector of each text. */
@Command(
        name = "embed",
        description = "Print the vector of each text, one a line.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Embed implements Callable<Integer> {
    private final Cyclane cyclane;

    @Mixin private ModelOptions model;
    @Mixin private Texts texts;

    @Option(
            names = "--json",
            description = "print {\"text\":..,\"tokens\":..,\"vector\":[..]} for each text")
    private boolean json;

    Embed(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        boolean piped = texts.arePiped();
        try (Embedder embedder = new Embedder(model, cyclane);
                ProgressDisplay progress = cyclane.progress()) {
            if (piped) {
                embedLines(embedder, progress);
            } else {
                print(texts.given(), embedder.run(texts.given()));
            }
        }
        return 0;
    }

    private void embedLines(Embedder embedder, ProgressDisplay progress) {
        AtomicLong done = new AtomicLong();
        Texts.readLines(
                cyclane,
                batch -> {
                    print(batch, embedder.run(batch));
                    progress.reached("texts", done.addAndGet(batch.size()), 0);
                });
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

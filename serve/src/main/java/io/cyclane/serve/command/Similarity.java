package io.cyclane.serve.command;

import io.cyclane.train.eval.DotProduct;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints how close one text is to others. */
@Command(
        name = "similarity",
        description = "Print the cosine of the first text with each of the others, best first.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Similarity implements Callable<Integer> {
    private record Scored(String text, double cosine) {}

    private final Cyclane cyclane;

    @Mixin private ModelOptions model;

    @Option(names = "--json", description = "print {\"text\":..,\"cosine\":..} for each of them")
    private boolean json;

    @Parameters(index = "0", paramLabel = "A", description = "the text to compare with")
    private String first;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "B", description = "the others")
    private List<String> others;

    Similarity(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        List<String> texts = new ArrayList<>();
        texts.add(first);
        texts.addAll(others);
        try (Embedder embedder = new Embedder(model, cyclane)) {
            float[][] vectors = embedder.embed(texts);
            List<Scored> scored = new ArrayList<>();
            for (int i = 1; i < vectors.length; i++) {
                scored.add(new Scored(texts.get(i), cosine(vectors[0], vectors[i])));
            }
            scored.sort(Comparator.comparingDouble(Scored::cosine).reversed());
            scored.forEach(this::print);
        }
        cyclane.flush();
        return 0;
    }

    private static double cosine(float[] a, float[] b) {
        double lengths = Math.sqrt((double) DotProduct.of(a, a) * DotProduct.of(b, b));
        return lengths == 0 ? 0 : DotProduct.of(a, b) / lengths;
    }

    private void print(Scored scored) {
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeStringProperty("text", scored.text);
                        line.writeNumberProperty("cosine", scored.cosine);
                    });
        } else {
            cyclane.out()
                    .append(String.format(Locale.ROOT, "%.4f  %s\n", scored.cosine, scored.text));
        }
    }
}

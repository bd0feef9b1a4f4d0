package io.cyclane.serve.command;

import io.cyclane.model.LoadedModel;
import io.cyclane.model.Outcome;
import io.cyclane.model.Task;
import io.cyclane.model.TextPair;
import io.cyclane.train.data.Lines;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints texts by their relevance to a query, each read together with it. */
@Command(
        name = "rerank",
        description = "Print the texts by their relevance to the query, best first.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Rerank implements Callable<Integer> {
    private final Cyclane cyclane;

    @Mixin private ModelOptions model;
    @Mixin private HeadOptions head;

    @Option(names = "--raw", description = "print raw scores instead of probabilities")
    private boolean raw;

    @Option(
            names = "--json",
            description = "print {\"index\":..,\"score\":..,\"text\":..} for each text")
    private boolean json;

    @Parameters(index = "0", paramLabel = "QUERY", description = "what is asked")
    private String query;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "TEXT",
            description = "texts; or a lone - for those on standard input, one a line")
    private List<String> texts;

    Rerank(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        List<String> all = texts.equals(List.of("-")) ? lines() : texts;
        List<TextPair> pairs = all.stream().map(text -> new TextPair(query, text)).toList();
        try (LoadedModel open = head.open(model, Task.RERANKING)) {
            Outcome<Float> outcome =
                    raw ? open.reranker().scores(pairs) : open.reranker().run(pairs);
            List<Float> scores = outcome.results();
            IntStream.range(0, all.size())
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -scores.get(i)))
                    .forEach(i -> print(i, scores.get(i), all.get(i)));
            cyclane.flush();
            HeadOptions.report(cyclane, outcome, open);
        }
        return 0;
    }

    private List<String> lines() {
        List<String> all = new ArrayList<>();
        try (Lines lines = Lines.of("standard input", cyclane.terminal().in())) {
            while (lines.next()) {
                all.add(lines.text());
            }
        }
        return all;
    }

    private void print(int index, float score, String text) {
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeNumberProperty("index", index);
                        line.writeNumberProperty("score", score);
                        line.writeStringProperty("text", text);
                    });
        } else {
            cyclane.out().append(String.format(Locale.ROOT, "%.4f  %s\n", score, text));
        }
    }
}

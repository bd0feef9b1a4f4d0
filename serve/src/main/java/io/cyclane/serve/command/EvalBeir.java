package io.cyclane.serve.command;

import io.cyclane.train.eval.Beir;
import io.cyclane.train.eval.RetrievalEvaluation;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Scores a model on a retrieval data set in BEIR's layout. */
@Command(
        name = "beir",
        description = "Rank a BEIR data set's corpus for each judged query, and score that.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class EvalBeir implements Callable<Integer> {
    private final Cyclane cyclane;

    @Mixin private ModelOptions model;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            required = true,
            description = "the folder of corpus.jsonl, queries.jsonl and qrels, .gz or not")
    private Path data;

    @Option(
            names = "--split",
            paramLabel = "S",
            defaultValue = "test",
            description = "which of qrels to score (default: ${DEFAULT-VALUE})")
    private String split;

    @Option(names = "--json", description = "print one object instead of a line a measure")
    private boolean json;

    EvalBeir(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        RetrievalEvaluation scores;
        try (Embedder embedder = new Embedder(model, cyclane);
                ProgressDisplay progress = cyclane.progress()) {
            scores = RetrievalEvaluation.run(new Beir(data), split, embedder, progress);
        }
        Map<String, Double> measures = new LinkedHashMap<>();
        measures.put("ndcg@10", scores.ndcgAt10());
        measures.put("recall@100", scores.recallAt100());
        measures.put("map@100", scores.mapAt100());
        measures.put("mrr@10", scores.mrrAt10());
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        measures.forEach(line::writeNumberProperty);
                        line.writeNumberProperty("queries", scores.queries());
                        line.writeNumberProperty("documents", scores.documents());
                    });
        } else {
            measures.forEach((name, value) ->
                    cyclane.out().append(String.format(Locale.ROOT, "%s %.5f\n", name, value)));
        }
        cyclane.flush();
        return 0;
    }
}

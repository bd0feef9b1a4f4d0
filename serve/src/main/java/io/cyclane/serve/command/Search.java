package io.cyclane.serve.command;

import io.cyclane.train.data.Corpus;
import io.cyclane.train.data.Document;
import io.cyclane.train.eval.DotProduct;
import io.cyclane.train.eval.Hit;
import io.cyclane.train.eval.TopHits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the documents of a corpus that are closest to a query. */
@Command(
        name = "search",
        description = "Print the documents of a corpus that are closest to each query.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Search implements Callable<Integer> {
    private static final int BATCH_TEXTS = 512;
    private static final int SNIPPET_CHARACTERS = 72;

    /** One query, and the best documents it has met. */
    private record Query(
            String text, float[] vector, TopHits hits, Map<String, Document> documents) {
        void meet(List<Document> batch, float[][] vectors) {
            for (int i = 0; i < vectors.length; i++) {
                Document document = batch.get(i);
                hits.offer(document.id(), DotProduct.of(vector, vectors[i]));
                documents.put(document.id(), document);
            }
            documents.keySet().retainAll(hits.ranked().stream().map(Hit::id).toList());
        }
    }

    private final Cyclane cyclane;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;

    @Option(
            names = "--corpus",
            paramLabel = "FILE",
            description =
                    "documents {\"_id\":..,\"title\":..,\"text\":..}, one a line, plain or gzip"
                            + " (default: the sample corpus)")
    private @Nullable Path corpus;

    @Option(
            names = "--top",
            paramLabel = "K",
            defaultValue = "5",
            description = "how many hits a query (default: ${DEFAULT-VALUE})")
    private int top;

    @Option(names = "--json", description = "print {\"query\":..,\"hits\":[..]} for each query")
    private boolean json;

    @Parameters(paramLabel = "QUERY", arity = "1..*", description = "what to look for")
    private List<String> texts;

    Search(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        if (top < 1) {
            throw new ParameterException(spec.commandLine(), "--top is at least 1, not " + top);
        }
        rank(corpus == null ? sample() : corpus).forEach(this::print);
        cyclane.flush();
        return 0;
    }

    private List<Query> rank(Path file) {
        try (Corpus documents = Corpus.open(file);
                Embedder embedder = new Embedder(model, cyclane);
                ProgressDisplay progress = cyclane.progress()) {
            List<Query> queries = queries(embedder);
            List<Document> batch = documents.next(BATCH_TEXTS);
            while (!batch.isEmpty()) {
                float[][] vectors = embedder.embed(batch.stream().map(Document::passage).toList());
                for (Query query : queries) {
                    query.meet(batch, vectors);
                }
                progress.reached("documents", documents.count(), documents.share());
                batch = documents.next(BATCH_TEXTS);
            }
            return queries;
        }
    }

    /** The corpus that comes with the program; the launcher says where that stands. */
    private Path sample() {
        String home = System.getProperty("cyclane.home");
        if (home == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--corpus is missing, and the sample corpus is only found through bin/cyclane");
        }
        return Path.of(home, "samples", "wikipedia-300.jsonl.gz");
    }

    private List<Query> queries(Embedder embedder) {
        float[][] vectors = embedder.embed(texts);
        List<Query> queries = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
            queries.add(new Query(texts.get(i), vectors[i], new TopHits(top), new HashMap<>()));
        }
        return queries;
    }

    private void print(Query query) {
        List<Hit> hits = query.hits.ranked();
        if (json) {
            printJson(query, hits);
            return;
        }
        if (texts.size() > 1) {
            cyclane.out().append(query.text).append('\n');
        }
        int idColumns = hits.stream().mapToInt(hit -> hit.id().length()).max().orElse(1);
        for (int i = 0; i < hits.size(); i++) {
            Hit hit = hits.get(i);
            String line =
                    String.format(
                            Locale.ROOT,
                            "%3d  %.4f  %-" + idColumns + "s  %s\n",
                            i + 1,
                            hit.score(),
                            hit.id(),
                            headline(query.documents.get(hit.id())));
            cyclane.out().append(line);
        }
    }

    private void printJson(Query query, List<Hit> hits) {
        Json.line(
                cyclane.out(),
                line -> {
                    line.writeStringProperty("query", query.text);
                    line.writeArrayPropertyStart("hits");
                    for (Hit hit : hits) {
                        Document document = query.documents.get(hit.id());
                        line.writeStartObject();
                        line.writeStringProperty("id", hit.id());
                        line.writeNumberProperty("score", hit.score());
                        line.writeStringProperty("title", document.title());
                        line.writeStringProperty("text", document.text());
                        line.writeEndObject();
                    }
                    line.writeEndArray();
                });
    }

    /** The title and as many first words as fit. */
    private static String headline(Document document) {
        String text = document.text().lines().collect(Collectors.joining(" "));
        String whole = document.title().isEmpty() ? text : document.title() + ": " + text;
        if (whole.length() <= SNIPPET_CHARACTERS) {
            return whole;
        }
        int end = whole.lastIndexOf(' ', SNIPPET_CHARACTERS);
        return whole.substring(0, end > 0 ? end : SNIPPET_CHARACTERS) + " ...";
    }
}

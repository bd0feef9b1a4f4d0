package io.cyclane.train.eval;

import io.cyclane.train.data.Corpus;
import io.cyclane.train.data.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Ranks every document of a {@link Beir} data set for every judged query, exactly, and scores that.
 *
 * <p>Documents are embedded as title, space, text, in batches, and forgotten once each query has
 * taken the hits it wants: memory is that of the queries' vectors, their best 100 hits, one batch,
 * and the ids of the corpus. A document whose id is the query's own is left out.
 *
 * @param queries how many were judged: what the means are over
 * @param documents how many the corpus has
 * @param ndcgAt10 the measure BEIR reports
 * @param recallAt100 see {@link RankingMetrics#recall}
 * @param mapAt100 see {@link RankingMetrics#averagePrecision}
 * @param mrrAt10 see {@link RankingMetrics#reciprocalRank}
 */
public record RetrievalEvaluation(
        int queries,
        int documents,
        double ndcgAt10,
        double recallAt100,
        double mapAt100,
        double mrrAt10) {
    /**
     * As many texts at a time, so that the embedder may sort them by length and fill its batches.
     */
    private static final int BATCH_TEXTS = 512;

    private static final int DEPTH = 100;

    /** One judged query and the best documents it has met. */
    private record Query(String id, float[] vector, Map<String, Integer> grades, TopHits hits) {
        void meet(List<Document> documents, float[][] vectors) {
            for (int i = 0; i < vectors.length; i++) {
                String document = documents.get(i).id();
                if (!document.equals(id)) {
                    hits.offer(document, DotProduct.of(vector, vectors[i]));
                }
            }
        }
    }

    /**
     * Embeds, ranks and scores.
     *
     * @param split the name of a file in {@code qrels}: test, dev, train
     * @throws io.cyclane.train.data.DataException when the data is not as it should be
     */
    public static RetrievalEvaluation run(
            Beir data, String split, TextEmbedder embedder, Progress progress) {
        List<Query> queries = queries(data, split, embedder, progress);
        int documents = rank(queries, data, embedder, progress);
        List<Ranking> rankings = queries.stream().map(Ranking::of).toList();
        return new RetrievalEvaluation(
                queries.size(),
                documents,
                mean(rankings, r -> RankingMetrics.ndcg(r.ids, r.grades, 10)),
                mean(rankings, r -> RankingMetrics.recall(r.ids, r.grades, 100)),
                mean(rankings, r -> RankingMetrics.averagePrecision(r.ids, r.grades, 100)),
                mean(rankings, r -> RankingMetrics.reciprocalRank(r.ids, r.grades, 10)));
    }

    private record Ranking(List<String> ids, Map<String, Integer> grades) {
        static Ranking of(Query query) {
            return new Ranking(query.hits.ranked().stream().map(Hit::id).toList(), query.grades);
        }
    }

    private static List<Query> queries(
            Beir data, String split, TextEmbedder embedder, Progress progress) {
        Map<String, Map<String, Integer>> judgements = data.judgements(split);
        Map<String, String> texts = data.queries(judgements.keySet());
        List<String> ids = List.copyOf(texts.keySet());
        List<Query> queries = new ArrayList<>();
        for (int from = 0; from < ids.size(); from += BATCH_TEXTS) {
            List<String> batch = ids.subList(from, Math.min(ids.size(), from + BATCH_TEXTS));
            float[][] vectors = embed(embedder, batch.stream().map(texts::get).toList());
            for (int i = 0; i < vectors.length; i++) {
                String id = batch.get(i);
                queries.add(new Query(id, vectors[i], judgements.get(id), new TopHits(DEPTH)));
            }
            progress.reached("queries", queries.size(), (double) queries.size() / ids.size());
        }
        return queries;
    }

    private static int rank(
            List<Query> queries, Beir data, TextEmbedder embedder, Progress progress) {
        try (Corpus corpus = data.corpus()) {
            List<Document> batch = corpus.next(BATCH_TEXTS);
            while (!batch.isEmpty()) {
                List<Document> documents = batch;
                float[][] vectors =
                        embed(embedder, documents.stream().map(Document::passage).toList());
                // One query is one thread's at a time, so its hits need no lock.
                IntStream.range(0, queries.size())
                        .parallel()
                        .forEach(q -> queries.get(q).meet(documents, vectors));
                progress.reached("documents", corpus.count(), corpus.share());
                batch = corpus.next(BATCH_TEXTS);
            }
            return corpus.count();
        }
    }

    private static float[][] embed(TextEmbedder embedder, List<String> texts) {
        float[][] vectors = embedder.embed(texts);
        if (vectors.length != texts.size()) {
            throw new IllegalArgumentException(
                    "the embedder gave "
                            + vectors.length
                            + " vectors for "
                            + texts.size()
                            + " texts");
        }
        return vectors;
    }

    private static double mean(List<Ranking> rankings, ToDoubleFunction<Ranking> measure) {
        return rankings.stream().mapToDouble(measure).sum() / rankings.size();
    }
}

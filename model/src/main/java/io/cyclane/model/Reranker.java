package io.cyclane.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Scores how well texts answer a query, reading each together with it.
 *
 * <p>Thread-safe; closed as {@link LoadedModel#close} says.
 */
public final class Reranker implements AutoCloseable {
    private final LoadedModel model;
    private final TextScores scores;

    Reranker(LoadedModel model) {
        this.model = model;
        this.scores = new TextScores(model, Task.RERANKING);
    }

    /**
     * Loads a model with the settings most want; {@link ModelLoader} takes others.
     *
     * @throws io.cyclane.tensor.CyclaneException as {@link ModelLoader#open} says
     */
    public static Reranker load(Path folder) {
        return ModelLoader.of(folder).open(Task.RERANKING).reranker();
    }

    /**
     * A text's place in the list that was given, and its relevance.
     *
     * @param score a probability, 0 to 1
     */
    public record Ranked(int index, float score) {}

    /** {@return the texts by falling relevance to a query, equal ones in their order} */
    public List<Ranked> rank(String query, List<String> texts) {
        List<Float> relevances = run(pairs(query, texts)).results();
        List<Ranked> ranked = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            ranked.add(new Ranked(i, relevances.get(i)));
        }
        ranked.sort(Comparator.comparingDouble(text -> -text.score()));
        return List.copyOf(ranked);
    }

    /** {@return the relevance of each pair's second text to its first, 0 to 1} */
    public Outcome<Float> run(List<TextPair> pairs) {
        return scores(pairs).map(score -> Labels.sigmoid(score));
    }

    /** {@return the raw score of each pair, any number} */
    public Outcome<Float> scores(List<TextPair> pairs) {
        return scores.pairs(pairs, Joined.highest(pairs.size())).map(row -> row[0]);
    }

    private static List<TextPair> pairs(String query, List<String> texts) {
        return texts.stream().map(text -> new TextPair(query, text)).toList();
    }

    /** {@return what the model is, and the memory it takes} */
    public ModelInfo info() {
        return model.info();
    }

    /** Closes the model, with all its facades. A second close does nothing. */
    @Override
    public void close() {
        model.close();
    }
}

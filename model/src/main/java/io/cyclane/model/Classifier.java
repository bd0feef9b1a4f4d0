package io.cyclane.model;

import java.nio.file.Path;
import java.util.List;

/**
 * Finds the labels of texts, or of pairs of texts.
 *
 * <pre>{@code
 * try (Classifier classifier = Classifier.load(folder)) {
 *     List<Label> labels = classifier.classify("what a film");
 * }
 * }</pre>
 *
 * <p>Thread-safe; closed as {@link LoadedModel#close} says.
 */
public final class Classifier implements AutoCloseable {
    private final LoadedModel model;
    private final Labels labels;
    private final TextScores scores;

    Classifier(LoadedModel model) {
        this.model = model;
        this.labels = model.text().labels();
        this.scores = new TextScores(model, Task.CLASSIFICATION);
    }

    /**
     * Loads a model with the settings most want; {@link ModelLoader} takes others.
     *
     * @throws io.cyclane.tensor.CyclaneException as {@link ModelLoader#open} says
     */
    public static Classifier load(Path folder) {
        return ModelLoader.of(folder).open(Task.CLASSIFICATION).classifier();
    }

    /** {@return the names of the labels, by their place among {@link #scores}} */
    public List<String> labels() {
        return labels.names();
    }

    /** {@return the labels of a text, the likeliest first} */
    public List<Label> classify(String text) {
        return run(List.of(text)).results().getFirst();
    }

    /** {@return the labels of a pair of texts, the likeliest first} */
    public List<Label> classify(String first, String second) {
        return runPairs(List.of(new TextPair(first, second))).results().getFirst();
    }

    /**
     * {@return the labels of each text, the likeliest first} Their scores sum to 1, unless there is
     * one label or the model's {@code problem_type} says that several may hold; then each is a
     * probability of its own.
     */
    public Outcome<List<Label>> run(List<String> texts) {
        return scores(texts).map(this::ranked);
    }

    /** {@return the same for pairs of texts} */
    public Outcome<List<Label>> runPairs(List<TextPair> pairs) {
        return scores.pairs(pairs, new Means(pairs.size(), false)).map(this::ranked);
    }

    /** {@return the raw scores of each text, one per label, in the labels' order} */
    public Outcome<float[]> scores(List<String> texts) {
        return scores.texts(texts, new Means(texts.size(), false));
    }

    private List<Label> ranked(float[] row) {
        float[] probabilities = row.clone();
        labels.toProbabilities(probabilities);
        return labels.ranked(probabilities);
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

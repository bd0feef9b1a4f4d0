package io.cyclane.model;

import io.cyclane.model.text.Encoding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Finds the label of every token of a text, such as the names in it.
 *
 * <p>Thread-safe; closed as {@link LoadedModel#close} says.
 */
public final class TokenClassifier implements AutoCloseable {
    private final LoadedModel model;
    private final Labels labels;

    TokenClassifier(LoadedModel model) {
        this.model = model;
        this.labels = model.text().labels();
    }

    /**
     * Loads a model with the settings most want; {@link ModelLoader} takes others.
     *
     * @throws io.cyclane.tensor.CyclaneException as {@link ModelLoader#open} says
     */
    public static TokenClassifier load(Path folder) {
        return ModelLoader.of(folder).open(Task.TOKEN_CLASSIFICATION).tokenClassifier();
    }

    /** {@return the names of the labels, by id} */
    public List<String> labels() {
        return labels.names();
    }

    /** {@return the stretches of a text that have a label other than {@code O}} */
    public List<Entity> entities(String text) {
        return runEntities(List.of(text)).results().getFirst();
    }

    /** {@return the same for each text} */
    public Outcome<List<Entity>> runEntities(List<String> texts) {
        Iterator<String> rest = texts.iterator();
        return run(texts).map(labels -> Entity.of(rest.next(), labels));
    }

    /** {@return for each text the label of each of its tokens, special ones left out} */
    public Outcome<List<TokenLabel>> run(List<String> texts) {
        List<String> own = TextReader.checked(texts);
        LongTexts longTexts = model.longTexts(LongTexts.TRUNCATE);
        Overlap overlap = Overlap.of(model.reader());
        List<Labelling> labellings = new ArrayList<>();
        Reading reading =
                model.run(
                        Task.TOKEN_CLASSIFICATION,
                        own.size(),
                        (item, to) -> {
                            List<Encoding> parts =
                                    model.reader()
                                            .encodings(own.get(item), longTexts, overlap.tokens());
                            labellings.add(new Labelling(parts, overlap));
                            parts.forEach(to::add);
                        },
                        (window, batch, s, item) ->
                                labellings.get(item).take(window, batch.offsets()[s]));
        return reading.outcome(
                labellings.stream().map(labelling -> List.copyOf(labelling.tokens)).toList(),
                model);
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

    /** The labels of a text so far, part by part. */
    private final class Labelling {
        private final List<Encoding> parts;
        private final Overlap overlap;
        private final List<TokenLabel> tokens = new ArrayList<>();
        private int part;

        Labelling(List<Encoding> parts, Overlap overlap) {
            this.parts = parts;
            this.overlap = overlap;
        }

        /** Takes the next part, whose tokens' scores are rows from {@code first} on. */
        void take(Rows window, int first) {
            Encoding encoding = parts.get(part);
            overlap.own(encoding, part, parts.size())
                    .forEach(t ->
                            tokens.add(
                                    best(
                                            window.row(first + t),
                                            encoding.starts()[t],
                                            encoding.ends()[t])));
            part++;
        }

        private TokenLabel best(float[] row, int start, int end) {
            Labels.softmax(row);
            int best = 0;
            for (int i = 1; i < row.length; i++) {
                best = row[i] > row[best] ? i : best;
            }
            return new TokenLabel(labels.names().get(best), row[best], start, end);
        }
    }
}

package io.cyclane.model;

import io.cyclane.model.text.Encoding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the words of a text that answer a question.
 *
 * <p>Texts longer than the model reads are read in overlapping parts, each behind the question,
 * unless the loader was told to cut them. Thread-safe; closed as {@link LoadedModel#close} says.
 *
 * <p>Source: arXiv:1810.04805, sections 4.2 and 4.3.
 */
public final class QuestionAnswerer implements AutoCloseable {
    /** Longer answers are not considered. */
    private static final int MOST_ANSWER_TOKENS = 30;

    private static final int MOST_OVERLAP = 128;

    private final LoadedModel model;

    QuestionAnswerer(LoadedModel model) {
        this.model = model;
    }

    /**
     * Loads a model with the settings most want; {@link ModelLoader} takes others.
     *
     * @throws io.cyclane.tensor.CyclaneException as {@link ModelLoader#open} says
     */
    public static QuestionAnswerer load(Path folder) {
        return ModelLoader.of(folder).open(Task.QUESTION_ANSWERING).questionAnswerer();
    }

    /** {@return the likeliest answer to a question that a text holds} */
    public Answer answer(String question, String text) {
        return run(List.of(new TextPair(question, text))).results().getFirst();
    }

    /**
     * {@return the likeliest answer for each question and the text it is asked of}
     *
     * @throws io.cyclane.model.text.TokenizerException when a question leaves no room for the text
     */
    public Outcome<Answer> run(List<TextPair> questions) {
        LongTexts longTexts = model.longTexts(LongTexts.CHUNK);
        int overlap = Math.min(MOST_OVERLAP, model.reader().maxTokens() / 4);
        List<Search> searches = new ArrayList<>();
        Reading reading =
                model.run(
                        Task.QUESTION_ANSWERING,
                        questions.size(),
                        (item, to) -> {
                            TextPair pair = questions.get(item);
                            Search search =
                                    new Search(
                                            pair.second(),
                                            model.reader().encodings(pair, longTexts, overlap));
                            searches.add(search);
                            search.parts.forEach(to::add);
                        },
                        (window, batch, s, item) ->
                                searches.get(item).look(window, batch.offsets()[s]));
        return reading.outcome(searches.stream().map(Search::best).toList(), model);
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

    /** The best answer of a text so far, part by part. */
    private static final class Search {
        private final String text;
        private final List<Encoding> parts;
        private int part;
        private int start;
        private int end;
        private float score = Float.NEGATIVE_INFINITY;
        private float nullScore = Float.POSITIVE_INFINITY;

        Search(String text, List<Encoding> parts) {
            this.text = text;
            this.parts = parts;
        }

        /** Looks at the next part, whose tokens' scores are rows from {@code first} on. */
        void look(Rows window, int first) {
            Encoding encoding = parts.get(part);
            part++;
            int tokens = encoding.ids().length;
            float[] begins = new float[tokens];
            float[] ends = new float[tokens];
            for (int t = 0; t < tokens; t++) {
                float[] row = window.row(first + t);
                begins[t] = row[0];
                ends[t] = row[1];
            }
            // A text of which one part holds the answer has one: the part most sure of it counts.
            nullScore = Math.min(nullScore, begins[0] + ends[0]);
            for (int from = 0; from < tokens; from++) {
                int last = Math.min(tokens, from + MOST_ANSWER_TOKENS);
                for (int to = from; to < last && encoding.texts()[from] == 1; to++) {
                    boolean isBetter = begins[from] + ends[to] > score;
                    if (isBetter && encoding.texts()[to] == 1) {
                        score = begins[from] + ends[to];
                        start = encoding.starts()[from];
                        end = encoding.ends()[to];
                    }
                }
            }
        }

        Answer best() {
            return new Answer(text.substring(start, end), start, end, score, nullScore);
        }
    }
}

package io.cyclane.model;

import java.util.List;

/** Runs a head that gives one row of scores per text or pair. */
record TextScores(LoadedModel model, Task task) {
    /** {@return the rows of texts, as {@code joined} joins those of parts} */
    Outcome<float[]> texts(List<String> texts, Joined joined) {
        LongTexts longTexts = model.longTexts(LongTexts.TRUNCATE);
        List<String> own = TextReader.checked(texts);
        return outcome(
                model.run(
                        task,
                        own.size(),
                        (item, to) -> model.reader().text(own.get(item), longTexts, to),
                        sink(joined)),
                joined);
    }

    /** {@return the rows of pairs} */
    Outcome<float[]> pairs(List<TextPair> pairs, Joined joined) {
        LongTexts longTexts = model.longTexts(LongTexts.TRUNCATE);
        return outcome(
                model.run(
                        task,
                        pairs.size(),
                        (item, to) -> model.reader().pair(pairs.get(item), longTexts, to),
                        sink(joined)),
                joined);
    }

    private static LoadedModel.Sink sink(Joined joined) {
        return (window, batch, s, item) -> joined.add(item, window.row(s), batch.length(s));
    }

    private Outcome<float[]> outcome(Reading reading, Joined joined) {
        return reading.outcome(List.of(joined.vectors()), model);
    }
}

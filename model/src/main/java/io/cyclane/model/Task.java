package io.cyclane.model;

import java.util.Locale;

/** What a model is asked to do: which head stands on its encoder. */
public enum Task {
    /** One vector per text; no head. */
    EMBEDDING,
    /** Scores of labels for a text or a pair of texts. */
    CLASSIFICATION,
    /** Scores of labels for every token of a text. */
    TOKEN_CLASSIFICATION,
    /** One score for a query and a text: classification with a single label. */
    RERANKING,
    /** Where in a text the answer to a question begins and ends. */
    QUESTION_ANSWERING,
    /** Scores of every token for masked places. */
    FILL_MASK;

    /** {@return the name in messages} */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}

package io.cyclane.model;

/** What becomes of a text with more tokens than are read at a time. */
public enum LongTexts {
    /** It is cut at the limit. */
    TRUNCATE,
    /**
     * It is read in several parts, cut out of its token ids, and the parts' results are joined: an
     * embedding is the mean of the parts' vectors by their numbers of tokens (scaled to length 1 if
     * the model's vectors are), a text's label scores likewise, a relevance the highest, an answer
     * the best; labels of tokens and guesses for masks are those of the part in which a token is
     * furthest from a cut.
     */
    CHUNK
}

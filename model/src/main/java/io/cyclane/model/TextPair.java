package io.cyclane.model;

import java.util.Objects;

/**
 * Two texts that are read together: premise and hypothesis, query and document, question and the
 * text that may answer it.
 */
public record TextPair(String first, String second) {
    public TextPair {
        Objects.requireNonNull(first, "the first text of the pair is null");
        Objects.requireNonNull(second, "the second text of the pair is null");
    }
}

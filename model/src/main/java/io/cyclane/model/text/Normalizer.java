package io.cyclane.model.text;

/** A rewriting of the text before it is cut. Immutable and thread-safe. */
sealed interface Normalizer permits BertNormalizer {
    /** Rewrites {@code text} in place; {@code spare} is there to be used and swapped with it. */
    void apply(Text text, Text spare);
}

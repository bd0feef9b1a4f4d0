package io.cyclane.model.text;

/**
 * A cutting of the normalized text into the pieces that a model sees. Immutable and thread-safe.
 */
sealed interface PreTokenizer permits BertPreTokenizer {
    /** Cuts every piece further, as {@link Pieces} describes. */
    void apply(Pieces pieces);
}

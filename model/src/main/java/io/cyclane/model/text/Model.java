package io.cyclane.model.text;

/** What turns pieces of text into ids. Immutable and thread-safe. */
sealed interface Model permits WordPiece {
    /** {@return the pieces this model knows}, without added tokens. */
    Vocabulary vocabulary();

    /** Appends the ids of all pieces, or stops once {@code out} is full. */
    void encode(Pieces pieces, Tokens out);
}

package io.cyclane.model.text;

/** What turns pieces of text into ids. Immutable and thread-safe. */
sealed interface Model permits WordPiece, Bpe, WordLevel {
    /** {@return the pieces this model knows}, without added tokens. */
    Vocabulary vocabulary();

    /** {@return the id of what stands for unknown text}, or {@link Vocabulary#NONE}. */
    int unknownId();

    /**
     * Appends the ids of all pieces, or those that {@code out} finds enough; {@code symbols} is
     * scratch.
     */
    void encode(Pieces pieces, Tokens out, Symbols symbols);
}

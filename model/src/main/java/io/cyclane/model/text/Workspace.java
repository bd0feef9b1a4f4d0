package io.cyclane.model.text;

/**
 * The buffers one encoding at a time works in; they grow to the longest text seen and are reused.
 */
final class Workspace {
    /** The text as it came. */
    final Text source = new Text();

    /** The part of it between two added tokens, normalized. */
    final Text segment = new Text();

    final Text spare = new Text();
    final Pieces pieces = new Pieces();
    final Symbols symbols = new Symbols();
    final AddedTokens.Match rawMatch = new AddedTokens.Match();
    final AddedTokens.Match normalizedMatch = new AddedTokens.Match();
    final Tokens first = new Tokens();
    final Tokens second = new Tokens();
}

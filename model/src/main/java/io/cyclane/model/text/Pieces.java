package io.cyclane.model.text;

import java.util.Arrays;

/**
 * A normalized text cut into pieces, which pre-tokenizers cut further one after the other.
 *
 * <p>A pre-tokenizer reads pieces 0 to {@link #count()}, hands its own cuts to {@link #add} in
 * order, and ends with {@link #advance}, when they take the place of what was read. One that
 * changes the characters as well writes them to {@link #rewriting()} and ends with {@link
 * #advanceRewritten}.
 */
final class Pieces {
    private Text text;
    private Text own = new Text();
    private Text spare = new Text();

    private int[] bounds = new int[128];
    private int count;
    private int[] nextBounds = new int[128];
    private int nextCount;

    Pieces() {
        text = own;
    }

    /**
     * Starts over with one piece, the characters {@code from} to {@code to} of a text that is only
     * read.
     */
    void reset(Text source, int from, int to) {
        text = source;
        nextCount = 0;
        add(from, to);
        advance();
    }

    Text text() {
        return text;
    }

    int count() {
        return count;
    }

    int from(int piece) {
        return bounds[2 * piece];
    }

    int to(int piece) {
        return bounds[2 * piece + 1];
    }

    /** Hands on one piece; an empty one is left out. */
    void add(int from, int to) {
        if (from == to) {
            return;
        }
        int at = 2 * nextCount;
        if (at == nextBounds.length) {
            nextBounds = Arrays.copyOf(nextBounds, Growth.capacity(at, at + 2L) & ~1);
        }
        nextBounds[at] = from;
        nextBounds[at + 1] = to;
        nextCount++;
    }

    /** The pieces that were added take the place of those that were read. */
    void advance() {
        int[] read = bounds;
        bounds = nextBounds;
        count = nextCount;
        nextBounds = read;
        nextCount = 0;
    }

    /** {@return an empty text for the rewritten characters}, aligned as the present one is. */
    Text rewriting() {
        spare.clear(text.isAligned());
        return spare;
    }

    /**
     * As {@link #advance}, and the text from {@link #rewriting()} takes the place of the present
     * one.
     */
    void advanceRewritten() {
        text = spare;
        spare = own;
        own = text;
        advance();
    }
}

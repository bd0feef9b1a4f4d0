package io.cyclane.model.text;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The ids one text turns into, and where in the source text each came from if that was asked for.
 *
 * <p>Once there are enough, more would be cut off anyway: {@link #endPiece} tells a model so.
 */
final class Tokens {
    int[] ids = new int[256];
    int[] starts = new int[0];
    int[] ends = new int[0];
    int size;

    /** For an added token, what it matched, which may have blanks at its ends; else null. */
    @Nullable String[] matched = new @Nullable String[0];

    private Text source = new Text();
    private boolean aligned;
    private int enough;
    private boolean isFull;

    /**
     * Empties the list for the ids of {@code source}, with places if it is aligned. Ids beyond the
     * first {@code enough} need not be produced.
     */
    void clear(Text source, int enough) {
        this.size = 0;
        this.source = source;
        this.aligned = source.isAligned();
        this.enough = enough;
        this.isFull = false;
        if (aligned && starts.length < ids.length) {
            starts = Arrays.copyOf(starts, ids.length);
            ends = Arrays.copyOf(ends, ids.length);
            matched = Arrays.copyOf(matched, ids.length);
        }
    }

    boolean isAligned() {
        return aligned;
    }

    /** Tells that a model is through with a piece. {@return whether it need not go on}. */
    boolean endPiece() {
        isFull = size >= enough;
        return isFull;
    }

    /** {@return whether a model was told that it need not go on}. */
    boolean isFull() {
        return isFull;
    }

    /** {@return the place in the source text so many code points before another}. */
    int placeBefore(int place, int codePoints) {
        int at = place;
        for (int i = 0; i < codePoints && at > 0; i++) {
            at -= Character.charCount(source.codePointBefore(at));
        }
        return at;
    }

    /** {@return the place in the source text so many code points after another}. */
    int placeAfter(int place, int codePoints) {
        int at = place;
        for (int i = 0; i < codePoints && at < source.length; i++) {
            at += Character.charCount(source.codePointAt(at));
        }
        return at;
    }

    /**
     * Appends an id that stands for the characters {@code from} to {@code to} of a text, at least
     * one.
     */
    void add(int id, Text text, int from, int to) {
        if (size == ids.length) {
            grow();
        }
        ids[size] = id;
        if (aligned) {
            starts[size] = sourceStart(text.origins[from]);
            ends[size] = sourceEnd(text.origins[to - 1]);
            matched[size] = null;
        }
        size++;
    }

    /** Appends an added token that matched the characters {@code from} to {@code to} of a text. */
    void addMatch(int id, Text text, int from, int to) {
        add(id, text, from, to);
        if (aligned) {
            matched[size - 1] = text.string(from, to);
        }
    }

    private static int sourceStart(int origin) {
        return origin < 0 ? ~origin : origin;
    }

    private int sourceEnd(int origin) {
        if (origin < 0) {
            return ~origin;
        }
        return Character.isHighSurrogate(source.chars[origin]) ? origin + 2 : origin + 1;
    }

    private void grow() {
        int capacity = Growth.capacity(size, size + 1L);
        ids = Arrays.copyOf(ids, capacity);
        if (aligned) {
            starts = Arrays.copyOf(starts, capacity);
            ends = Arrays.copyOf(ends, capacity);
            matched = Arrays.copyOf(matched, capacity);
        }
    }
}

package io.cyclane.model;

import io.cyclane.model.text.Encoding;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What neighbouring parts of a long text share. Of these tokens the earlier half is the first
 * part's and the later the second's, so that each is read where it is furthest from a cut.
 *
 * @param tokens how many
 */
record Overlap(int tokens) {
    private static final int MOST = 64;

    /** {@return what the parts share that a reader cuts} */
    static Overlap of(TextReader reader) {
        return new Overlap(Math.min(MOST, reader.maxTokens() / 4));
    }

    /** {@return where in the part of this number, of so many, its own tokens of the text stand} */
    IntStream own(Encoding part, int number, int parts) {
        int[] all =
                IntStream.range(0, part.ids().length).filter(t -> part.texts()[t] == 0).toArray();
        int from = number == 0 ? 0 : tokens / 2;
        int shared = number == parts - 1 ? 0 : tokens - tokens / 2;
        return Arrays.stream(all, from, all.length - shared);
    }
}

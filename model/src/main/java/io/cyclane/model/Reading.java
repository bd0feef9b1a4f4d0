package io.cyclane.model;

import java.util.Arrays;
import java.util.List;

/** What a call has read so far: which sequence is of which text, and how much was left out. */
final class Reading {
    private final int[] tokens;
    private int[] owners;
    private int sequences;
    private int truncated;
    private int chunked;
    private final int[] ran = new int[2];

    /** Nothing yet of so many texts. */
    Reading(int items) {
        tokens = new int[items];
        owners = new int[items];
    }

    /** Adds the sequences of a text. */
    void add(int item, int newSequences, int newTokens, boolean wasCut) {
        if (sequences + newSequences > owners.length) {
            owners = Arrays.copyOf(owners, Math.max(2 * owners.length, sequences + newSequences));
        }
        Arrays.fill(owners, sequences, sequences + newSequences, item);
        sequences += newSequences;
        tokens[item] = newTokens;
        truncated += wasCut ? 1 : 0;
        chunked += newSequences > 1 ? 1 : 0;
    }

    /** {@return which text a sequence is of} */
    int item(int sequence) {
        return owners[sequence];
    }

    /** Counts sequences that ran on the engine of this place. */
    void ran(int place, int count) {
        ran[place] += count;
    }

    /** {@return where the sequences ran, and where there are two backends, how many on each} */
    String backend(Engines engines) {
        if (engines.size() == 1) {
            return engines.first().backend().description();
        }
        StringBuilder text = new StringBuilder();
        for (int place = 0; place < engines.size(); place++) {
            text.append(place == 0 ? "" : "; ")
                    .append(engines.get(place).backend().description())
                    .append(": ")
                    .append(ran[place])
                    .append(ran[place] == 1 ? " text or part" : " texts or parts");
        }
        return text.toString();
    }

    /** {@return the results with what was read} */
    <T> Outcome<T> outcome(List<T> results, LoadedModel model) {
        return new Outcome<>(results, tokens, truncated, chunked, backend(model.engines()));
    }

    int[] tokens() {
        return tokens;
    }

    int truncated() {
        return truncated;
    }

    int chunked() {
        return chunked;
    }
}

package io.cyclane.model;

/**
 * The largest batch a program is recorded for. Memory is planned for it once; a smaller batch
 * computes less.
 *
 * @param tokens of all sequences together
 * @param sequences in one batch
 */
public record Capacity(int tokens, int sequences) {
    public Capacity {
        if (tokens < 1 || sequences < 1) {
            throw new IllegalArgumentException(
                    "a capacity is at least 1 token and 1 sequence, not %d and %d"
                            .formatted(tokens, sequences));
        }
    }
}

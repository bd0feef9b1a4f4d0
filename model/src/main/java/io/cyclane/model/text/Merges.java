package io.cyclane.model.text;

import java.util.Arrays;

/**
 * Which two adjacent tokens of a byte-pair encoding become one, and in which order. Immutable.
 *
 * <p>An open-addressing table of (pair, outcome) couples; an outcome packs (rank, id) so that the
 * smaller number is the earlier merge.
 */
final class Merges {
    /** Larger than every outcome. */
    static final long NONE = Long.MAX_VALUE;

    private static final long EMPTY = -1;

    /** Keys at even places, outcomes behind them. */
    private final long[] table;

    private final int shift;

    /**
     * Merge i makes {@code results[i]} out of {@code lefts[i]} and {@code rights[i]}; of equal
     * pairs the last counts.
     */
    Merges(int[] lefts, int[] rights, int[] results) {
        int size = lefts.length;
        if (size > 1 << 26) {
            throw new TokenizerException("%d merges are more than are supported".formatted(size));
        }
        int capacity = Integer.highestOneBit(Math.max(1, size)) * 4;
        this.table = new long[2 * capacity];
        this.shift = Long.SIZE - Integer.numberOfTrailingZeros(capacity);
        Arrays.fill(table, EMPTY);
        for (int i = 0; i < size; i++) {
            long key = key(lefts[i], rights[i]);
            int at = slot(key);
            while (table[at] != EMPTY && table[at] != key) {
                at = next(at);
            }
            table[at] = key;
            table[at + 1] = (long) i << Integer.SIZE | results[i];
        }
    }

    /** {@return the outcome for a pair}, or {@link #NONE}. */
    long outcome(int left, int right) {
        long key = key(left, right);
        int at = slot(key);
        while (table[at] != key) {
            if (table[at] == EMPTY) {
                return NONE;
            }
            at = next(at);
        }
        return table[at + 1];
    }

    static int rank(long outcome) {
        return (int) (outcome >>> Integer.SIZE);
    }

    static int id(long outcome) {
        return (int) outcome;
    }

    /** Ids are not negative, so no key is EMPTY. */
    private static long key(int left, int right) {
        return (long) left << Integer.SIZE | right;
    }

    private int slot(long key) {
        return (int) ((key ^ key >>> 29) * 0x9E3779B97F4A7C15L >>> shift) << 1;
    }

    private int next(int at) {
        return (at + 2) & (table.length - 1);
    }
}

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

    private Merges(int capacity) {
        this.table = new long[2 * capacity];
        this.shift = Long.SIZE - Integer.numberOfTrailingZeros(capacity);
        Arrays.fill(table, EMPTY);
    }

    /** Takes merges, the earliest first; of equal pairs the last counts. */
    static final class Builder {
        private static final int MOST = 1 << 26;

        private Merges merges;
        private int rank;
        private int pairs;

        /** Room for so many different pairs at first: a file may repeat one without end. */
        Builder(int expected) {
            int capped = Math.clamp(expected, 1, MOST);
            this.merges = new Merges(Integer.highestOneBit(capped) * 4);
        }

        void add(int left, int right, int result) {
            if (rank == MOST) {
                throw new TokenizerException("more than %d merges".formatted(MOST));
            }
            long outcome = (long) rank << Integer.SIZE | result;
            pairs += merges.put(key(left, right), outcome) ? 1 : 0;
            rank++;
            if (pairs > merges.table.length / 4) {
                Merges larger = new Merges(merges.table.length);
                for (int at = 0; at < merges.table.length; at += 2) {
                    if (merges.table[at] != EMPTY) {
                        larger.put(merges.table[at], merges.table[at + 1]);
                    }
                }
                merges = larger;
            }
        }

        Merges build() {
            return merges;
        }
    }

    /** {@return whether the pair is a new one} */
    private boolean put(long key, long outcome) {
        int at = slot(key);
        while (table[at] != EMPTY && table[at] != key) {
            at = next(at);
        }
        boolean isNew = table[at] == EMPTY;
        table[at] = key;
        table[at + 1] = outcome;
        return isNew;
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

package io.cyclane.model.text;

import org.jspecify.annotations.Nullable;

/**
 * A trie over UTF-16, laid in one open-addressing table: a node is the slot its edge hashed to.
 *
 * <p>A slot packs (parent + 1, character, value + 1) in 24, 16 and 24 bits, so a step costs one
 * multiplication and, most times, one load. Tables have a power of two of slots, but for large
 * ones, which have as many as a file of their size may take. Immutable.
 */
final class Trie {
    static final int ROOT = 0;
    static final int NONE = -1;

    private static final int VALUE_BITS = 24;
    private static final int CHAR_BITS = 16;
    private static final long VALUE_MASK = (1L << VALUE_BITS) - 1;

    /** As many as 32 MB hold. */
    private static final int MOST_NODES = (1 << 22) / 8 * 7;

    /** Slots that a vocabulary may take whatever its length; there may be three of them. */
    private static final int FREE_SLOTS = 1 << 19;

    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    /** A key no edge has: the parent of an edge is never 0 in its key. */
    private static final long ROOT_KEY = 1;

    private final long[] slots;
    private final int shift;
    private final boolean isPowerOfTwo;

    /** A key that was there already when it went in, or {@link #NONE}. */
    private int repeated = NONE;

    private Trie(int slots) {
        this.slots = new long[slots];
        this.shift = Integer.numberOfLeadingZeros(slots - 1) + Integer.SIZE;
        this.isPowerOfTwo = Integer.bitCount(slots) == 1;
        this.slots[ROOT] = ROOT_KEY << VALUE_BITS;
    }

    /**
     * {@return the trie in which key i has the value i}; of equal keys the last one counts.
     *
     * @throws TokenizerException if there are too many of them
     */
    static Trie of(Spellings keys) {
        if (keys.size() > VALUE_MASK - 1) {
            throw new TokenizerException(
                    "%d pieces are more than the %d that are supported"
                            .formatted(keys.size(), VALUE_MASK - 1));
        }
        // Pieces share half of their characters or more. To fill the table is half of what reading
        // a tokenizer takes, so the first guess had better be right.
        int wanted = slotsFor(Math.min(keys.length() / 2 + 1, MOST_NODES), keys);
        int slots;
        @Nullable Trie trie;
        do {
            slots = wanted;
            trie = null; // Two tables at once would be too many for what a file may take.
            trie = new Trie(slots);
            wanted = trie.insert(keys);
        } while (wanted != slots);
        return trie;
    }

    /** {@return the last of the keys that are equal to one before them}, or {@link #NONE}. */
    int repeated() {
        return repeated;
    }

    /** {@return the node one character below {@code node}}, or {@link #NONE}. */
    int child(int node, char c) {
        long key = key(node, c);
        if (!isPowerOfTwo) {
            return childInLarge(key);
        }
        int at = (int) (key * FACTOR >>> shift);
        while (true) {
            long slot = slots[at];
            if (slot >>> VALUE_BITS == key) {
                return at;
            }
            if (slot == 0) {
                return NONE;
            }
            at = (at + 1) & (slots.length - 1);
        }
    }

    /** Apart: asking everywhere where a table ends cost WordPiece a twentieth (Xeon, JDK 25). */
    private int childInLarge(long key) {
        int at = slotOf(key);
        while (slots[at] != 0 && slots[at] >>> VALUE_BITS != key) {
            at = next(at);
        }
        return slots[at] == 0 ? NONE : at;
    }

    /** {@return the value of the key that ends at {@code node}}, or {@link #NONE}. */
    int value(int node) {
        return (int) (slots[node] & VALUE_MASK) - 1;
    }

    /** {@return the value of a key}, or {@link #NONE}. */
    int value(CharSequence key) {
        int node = descend(ROOT, key);
        return node == NONE ? NONE : value(node);
    }

    /** {@return the value of the key {@code chars[from .. to)}}, or {@link #NONE}. */
    int value(char[] chars, int from, int to) {
        int node = ROOT;
        for (int i = from; i < to; i++) {
            node = child(node, chars[i]);
            if (node == NONE) {
                return NONE;
            }
        }
        return value(node);
    }

    /** {@return the node reached from {@code node} by all of {@code path}}, or {@link #NONE}. */
    int descend(int node, CharSequence path) {
        int at = node;
        for (int i = 0; i < path.length() && at != NONE; i++) {
            at = child(at, path.charAt(i));
        }
        return at;
    }

    /** {@return the slots there should be}: the keys are in if that is how many there are. */
    private int insert(Spellings keys) {
        int nodes = 1;
        int most = Math.min(slots.length - slots.length / 8, MOST_NODES);
        char[] chars = keys.chars();
        for (int value = 0; value < keys.size(); value++) {
            int node = ROOT;
            int to = keys.to(value);
            for (int i = keys.from(value); i < to; i++) {
                int child = child(node, chars[i]);
                if (child == NONE) {
                    if (nodes == most) {
                        return moreSlots(keys);
                    }
                    child = addChild(node, chars[i]);
                    nodes++;
                }
                node = child;
            }
            if ((slots[node] & VALUE_MASK) != 0) {
                repeated = value;
            }
            slots[node] = (slots[node] & ~VALUE_MASK) | (value + 1);
        }
        return slotsFor(nodes, keys);
    }

    private int moreSlots(Spellings keys) {
        int most = slotsFor(Math.min(keys.length() + 1, MOST_NODES), keys);
        if (most <= slots.length) {
            throw new TokenizerException(
                    "a vocabulary of %d characters: at most %d are supported, beginnings that pieces share counted once; take fewer or shorter pieces"
                            .formatted(keys.length(), MOST_NODES));
        }
        return most;
    }

    private int addChild(int node, char c) {
        long key = key(node, c);
        int at = slotOf(key);
        while (slots[at] != 0) {
            at = next(at);
        }
        slots[at] = key << VALUE_BITS;
        return at;
    }

    private static long key(int node, char c) {
        return (node + 1L) << CHAR_BITS | c;
    }

    private int slotOf(long key) {
        long hash = key * FACTOR;
        int at = (int) (hash >>> shift);
        // Beyond the end it is spread once more, by lower bits.
        return at < slots.length ? at : (int) ((hash >>> 16 & 0xFFFF_FFFFL) * slots.length >>> 32);
    }

    private int next(int at) {
        return at + 1 < slots.length ? at + 1 : 0;
    }

    /**
     * At most half of the slots are taken, as long as this is 6 bytes for a character and a little:
     * a file may take 8, and the spellings have 2. Beyond, it is three quarters of as many as are a
     * power of two, or seven eighths of any number.
     */
    private static int slotsFor(int nodes, Spellings keys) {
        int roomy = Math.max(8, Integer.highestOneBit(nodes * 2 - 1) * 2);
        int most = (int) Math.min(keys.length() / 4 * 3L + FREE_SLOTS, Integer.MAX_VALUE / 2);
        int power = Math.min(roomy, Integer.highestOneBit(most));
        return nodes <= power / 4 * 3 ? power : Math.max(most, nodes + nodes / 7 + 1);
    }
}

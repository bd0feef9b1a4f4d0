package io.cyclane.model.text;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * A trie over UTF-16, laid in one open-addressing table: a node is the slot its edge hashed to.
 *
 * <p>A slot packs (parent + 1, character, value + 1) in 24, 16 and 24 bits, so a step costs one
 * multiplication and, most times, one load. Immutable.
 */
final class Trie {
    static final int ROOT = 0;
    static final int NONE = -1;

    /** For the slots there are. */
    private static final int TOO_MANY = -1;

    private static final int VALUE_BITS = 24;
    private static final int CHAR_BITS = 16;
    private static final long VALUE_MASK = (1L << VALUE_BITS) - 1;
    private static final int MOST_SLOTS = 1 << 22;

    /** Of the largest table seven eighths are taken: twice the slots would be 64 MB. */
    private static final int MOST_NODES = MOST_SLOTS / 8 * 7;

    /** A key no edge has: the parent of an edge is never 0 in its key. */
    private static final long ROOT_KEY = 1;

    private final long[] slots;
    private final int shift;

    /** A key that was there already when it went in, or {@link #NONE}. */
    private int repeated = NONE;

    private Trie(int slots) {
        this.slots = new long[slots];
        this.shift = Long.SIZE - Integer.numberOfTrailingZeros(slots);
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
        int most = slotsFor(keys.length() + 1L);
        Trie guess = ofSlots(most / 2, keys);
        return guess == null ? requireNonNull(ofSlots(most, keys)) : guess;
    }

    /** {@return the trie in so many slots, or in fewer if they do}, or null. */
    private static @Nullable Trie ofSlots(int slots, Spellings keys) {
        Trie trie = new Trie(slots);
        int nodes = trie.insert(keys);
        if (nodes == TOO_MANY) {
            return null;
        }
        int enough = slotsFor(nodes);
        if (enough >= slots) {
            return trie;
        }
        Trie tight = new Trie(enough);
        tight.insert(keys);
        return tight;
    }

    /** {@return the last of the keys that are equal to one before them}, or {@link #NONE}. */
    int repeated() {
        return repeated;
    }

    /** {@return the node one character below {@code node}}, or {@link #NONE}. */
    int child(int node, char c) {
        long key = key(node, c);
        int at = slotOf(key);
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

    /** {@return the number of nodes} after all keys went in, or {@link #TOO_MANY}. */
    private int insert(Spellings keys) {
        int nodes = 1;
        int most = mostNodes(slots.length);
        char[] chars = keys.chars();
        for (int value = 0; value < keys.size(); value++) {
            int node = ROOT;
            int to = keys.to(value);
            for (int i = keys.from(value); i < to; i++) {
                int child = child(node, chars[i]);
                if (child == NONE) {
                    if (nodes == most) {
                        return TOO_MANY;
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
        return nodes;
    }

    private int addChild(int node, char c) {
        long key = key(node, c);
        int at = slotOf(key);
        while (slots[at] != 0) {
            at = (at + 1) & (slots.length - 1);
        }
        slots[at] = key << VALUE_BITS;
        return at;
    }

    private static long key(int node, char c) {
        return (node + 1L) << CHAR_BITS | c;
    }

    private int slotOf(long key) {
        return (int) (key * 0x9E3779B97F4A7C15L >>> shift);
    }

    /** At most half of the slots are taken, but of the largest table. */
    private static int slotsFor(long nodes) {
        if (nodes > MOST_NODES) {
            throw new TokenizerException(
                    "a vocabulary of %d characters in all: at most %d are supported"
                            .formatted(nodes, MOST_NODES));
        }
        return nodes > MOST_SLOTS / 2
                ? MOST_SLOTS
                : Math.max(8, Integer.highestOneBit((int) nodes * 2 - 1) * 2);
    }

    private static int mostNodes(int slots) {
        return slots == MOST_SLOTS ? MOST_NODES : slots / 2;
    }
}

package io.cyclane.model.text;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The pieces of a model and their ids, both ways. Ids may have gaps; a large id costs no memory.
 * Immutable.
 */
final class Vocabulary {
    static final int NONE = Trie.NONE;

    /** Pieces by rising id; the trie's values are places in this list. */
    private final Spellings pieces;

    private final int size;
    private final int[] ids;
    private final boolean dense;
    private final Trie trie;

    private Vocabulary(Spellings pieces, int[] ids, Trie trie) {
        this.pieces = pieces;
        this.size = pieces.size();
        this.dense = size == 0 || (ids[0] == 0 && ids[size - 1] == size - 1);
        this.ids = ids;
        this.trie = trie;
    }

    /** Takes pieces with their ids, in any order. */
    static final class Builder {
        private Spellings pieces = new Spellings();
        private int[] ids = new int[256];

        /** Adds a piece; the id is from 0 to 2^31 - 2. */
        void add(String piece, int id) {
            int size = pieces.size();
            if (size == ids.length) {
                ids = Arrays.copyOf(ids, Growth.capacity(size, size + 1L));
            }
            pieces.add(piece);
            ids[size] = id;
        }

        /** Adds a piece of which the last id counts, as {@link #buildOfLast} has it. */
        void addLine(String piece, int id) {
            int last = pieces.size() - 1;
            if (last >= 0 && pieces.isAt(last, piece)) {
                ids[last] = id; // So that a file of nothing but line ends costs nothing.
            } else {
                add(piece, id);
            }
        }

        /**
         * {@return the vocabulary}
         *
         * @param source where it stands, for errors
         * @throws TokenizerException if a piece is there twice, or an id stands for two pieces
         */
        Vocabulary build(String source) {
            sort();
            trim();
            Trie trie = Trie.of(pieces);
            if (trie.repeated() != Trie.NONE) {
                throw new TokenizerException(
                        "%s holds the piece '%s' twice"
                                .formatted(source, Json.shown(pieces.get(trie.repeated()))));
            }
            for (int i = 1; i < pieces.size(); i++) {
                if (ids[i] == ids[i - 1]) {
                    throw new TokenizerException(
                            "%s: pieces '%s' and '%s' share the id %d"
                                    .formatted(
                                            source,
                                            Json.shown(pieces.get(i - 1)),
                                            Json.shown(pieces.get(i)),
                                            ids[i]));
                }
            }
            return new Vocabulary(pieces, ids, trie);
        }

        /** {@return the vocabulary of pieces with rising ids; of equal pieces the last counts} */
        Vocabulary buildOfLast() {
            Trie trie = trieOrLast();
            return new Vocabulary(pieces, ids, trie == null ? Trie.of(pieces) : trie);
        }

        /** {@return the trie of the pieces}, or null if some were equal: the last are left then. */
        private @Nullable Trie trieOrLast() {
            trim();
            Trie trie = Trie.of(pieces);
            if (trie.repeated() == Trie.NONE) {
                return trie;
            }
            Builder last = new Builder();
            for (int i = 0; i < pieces.size(); i++) {
                if (trie.value(pieces.chars(), pieces.from(i), pieces.to(i)) == i) {
                    last.add(pieces.get(i), ids[i]);
                }
            }
            last.trim();
            pieces = last.pieces;
            ids = last.ids;
            return null;
        }

        private void trim() {
            pieces.trim();
            ids = Arrays.copyOf(ids, pieces.size());
        }

        /** By id. Files are mostly written in this order. */
        private void sort() {
            int size = pieces.size();
            boolean rises = true;
            for (int i = 1; i < size && rises; i++) {
                rises = ids[i - 1] <= ids[i];
            }
            if (rises) {
                return;
            }
            long[] places = new long[size];
            for (int i = 0; i < size; i++) {
                places[i] = (long) ids[i] << Integer.SIZE | i;
            }
            Arrays.sort(places);
            Spellings sorted = new Spellings();
            for (int i = 0; i < size; i++) {
                sorted.add(pieces.get((int) places[i]));
                ids[i] = (int) (places[i] >>> Integer.SIZE);
            }
            pieces = sorted;
        }
    }

    /** {@return the number of pieces}. */
    int size() {
        return size;
    }

    /** {@return the trie of the pieces}; {@link #idAt} turns its values into ids. */
    Trie trie() {
        return trie;
    }

    /** {@return the id of the piece with this value in the trie}. */
    int idAt(int value) {
        return dense ? value : ids[value];
    }

    /** {@return the id of a piece}, or {@link #NONE}. */
    int id(CharSequence piece) {
        int value = trie.value(piece);
        return value == NONE ? NONE : idAt(value);
    }

    /** {@return the id of the piece {@code chars[from .. to)}}, or {@link #NONE}. */
    int id(char[] chars, int from, int to) {
        int value = trie.value(chars, from, to);
        return value == NONE ? NONE : idAt(value);
    }

    /** {@return the piece with this id}, or null. */
    @Nullable String piece(int id) {
        int at = dense ? id : Arrays.binarySearch(ids, 0, size, id);
        return at < 0 || at >= size ? null : pieces.get(at);
    }

    /** {@return one more than the largest id}. */
    int idBound() {
        return size == 0 ? 0 : ids[size - 1] + 1;
    }

    /** {@return the pieces by rising id} */
    Spellings pieces() {
        return pieces;
    }
}

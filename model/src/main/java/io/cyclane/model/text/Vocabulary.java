package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The pieces of a model and their ids, both ways. Ids may have gaps; a large id costs no memory.
 * Immutable.
 */
final class Vocabulary {
    static final int NONE = Trie.NONE;

    /** Pieces by rising id; the trie's values are places in this list. */
    private final List<String> pieces;

    private final int[] ids;
    private final boolean dense;
    private final Trie trie;

    private Vocabulary(List<String> pieces, int[] ids) {
        this.pieces = List.copyOf(pieces);
        this.ids = ids;
        this.dense = ids.length == 0 || (ids[0] == 0 && ids[ids.length - 1] == ids.length - 1);
        this.trie = Trie.of(pieces);
    }

    /**
     * A vocabulary out of a map from piece to id.
     *
     * @param source where it stands, for errors
     * @param idsByPiece the ids, each an {@code int}'s value
     * @throws TokenizerException if an id is negative or stands for two pieces
     */
    static <I extends Number> Vocabulary of(String source, Map<String, I> idsByPiece) {
        List<Map.Entry<String, I>> entries = new ArrayList<>(idsByPiece.entrySet());
        entries.sort((a, b) -> Integer.compare(a.getValue().intValue(), b.getValue().intValue()));
        List<String> pieces = new ArrayList<>(entries.size());
        int[] ids = new int[entries.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = entries.get(i).getValue().intValue();
            pieces.add(entries.get(i).getKey());
            if (ids[i] < 0 || ids[i] == Integer.MAX_VALUE) {
                throw new TokenizerException(
                        "%s: piece '%s' has the id %d".formatted(source, pieces.get(i), ids[i]));
            }
            if (i > 0 && ids[i] == ids[i - 1]) {
                throw new TokenizerException(
                        "%s: pieces '%s' and '%s' share the id %d"
                                .formatted(source, pieces.get(i - 1), pieces.get(i), ids[i]));
            }
        }
        return new Vocabulary(pieces, ids);
    }

    /** {@return the number of pieces}. */
    int size() {
        return ids.length;
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
        int at = dense ? id : Arrays.binarySearch(ids, id);
        return at < 0 || at >= ids.length ? null : pieces.get(at);
    }

    /** {@return one more than the largest id}. */
    int idBound() {
        return ids.length == 0 ? 0 : ids[ids.length - 1] + 1;
    }

    List<String> pieces() {
        return pieces;
    }
}

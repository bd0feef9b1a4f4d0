package io.cyclane.model.text;

/**
 * Greedy longest match from the left; pieces that do not start a word carry a prefix in the
 * vocabulary. Source: arXiv:1609.08144, section 4.1.
 *
 * <p>A word with a part that matches nothing, or longer than {@code mostCharacters} code points, is
 * one unknown token.
 */
final class WordPiece implements Model {
    private final Vocabulary vocabulary;
    private final int unknownId;
    private final int mostCharacters;

    /** Where in the trie the pieces that continue a word hang, or {@link Trie#NONE}. */
    private final int continuation;

    /**
     * A model over a vocabulary.
     *
     * @throws TokenizerException if the vocabulary lacks the unknown token
     */
    WordPiece(Vocabulary vocabulary, String unknown, String prefix, int mostCharacters) {
        this.vocabulary = vocabulary;
        this.unknownId = vocabulary.id(unknown);
        this.mostCharacters = mostCharacters;
        this.continuation = vocabulary.trie().descend(Trie.ROOT, prefix);
        if (unknownId == Vocabulary.NONE) {
            throw new TokenizerException(
                    "WordPiece: the unknown token '%s' is not among the %d pieces of the vocabulary"
                            .formatted(unknown, vocabulary.size()));
        }
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public int unknownId() {
        return unknownId;
    }

    @Override
    public void encode(Pieces pieces, Tokens out, Symbols symbols) {
        Text text = pieces.text();
        for (int i = 0; i < pieces.count(); i++) {
            encodeWord(text, pieces.from(i), pieces.to(i), out);
            if (out.endPiece()) {
                return;
            }
        }
    }

    private void encodeWord(Text text, int from, int to, Tokens out) {
        int before = out.size;
        if (isTooLong(text, from, to) || !match(text, from, to, out)) {
            out.size = before;
            out.add(unknownId, text, from, to);
        }
    }

    private boolean isTooLong(Text text, int from, int to) {
        return to - from > mostCharacters
                && Character.codePointCount(text.chars, from, to - from) > mostCharacters;
    }

    private boolean match(Text text, int from, int to, Tokens out) {
        Trie trie = vocabulary.trie();
        char[] chars = text.chars;
        int start = from;
        while (start < to) {
            int node = start == from ? Trie.ROOT : continuation;
            int longest = Trie.NONE;
            int end = start;
            for (int i = start; i < to && node != Trie.NONE; i++) {
                node = trie.child(node, chars[i]);
                if (node != Trie.NONE && trie.value(node) != Trie.NONE) {
                    longest = trie.value(node);
                    end = i + 1;
                }
            }
            if (longest == Trie.NONE) {
                return false;
            }
            out.add(vocabulary.idAt(longest), text, start, end);
            start = end;
        }
        return true;
    }
}

package io.cyclane.model.text;

import java.util.List;

/**
 * Finds added tokens in a text: the leftmost, of those the longest, never overlapping. Immutable.
 */
final class AddedTokens {
    /** Where a search stands, and what it found last. */
    static final class Match {
        /** The token that was found. */
        int id;

        /** The characters that the token takes out of the text. */
        int start;

        int end;

        /** Where the next search begins: white space stripped on the right is searched again. */
        private int resume;

        /** Starts a search of a text from its beginning. */
        void restart() {
            start = 0;
            end = 0;
            resume = 0;
        }
    }

    private final List<AddedToken> tokens;
    private final Trie trie;

    /** One bit for each UTF-16 unit: whether a token starts with it. */
    private final long[] starters = new long[(Character.MAX_VALUE + 1) / Long.SIZE];

    /** A search for {@code tokens.get(i)} by form i; empty forms never match. */
    AddedTokens(List<AddedToken> tokens, Spellings forms) {
        this.tokens = List.copyOf(tokens);
        this.trie = Trie.of(forms);
        for (int i = 0; i < forms.size(); i++) {
            if (forms.to(i) > forms.from(i)) {
                char first = forms.chars()[forms.from(i)];
                starters[first >> 6] |= 1L << first;
            }
        }
    }

    /** Moves {@code match} to the next token in {@code text}. {@return whether there is one}. */
    boolean find(Text text, Match match) {
        if (tokens.isEmpty()) {
            return false;
        }
        char[] chars = text.chars;
        int n = text.length;
        for (int i = match.resume; i < n; i++) {
            if ((starters[chars[i] >> 6] >>> chars[i] & 1) != 0) {
                int end = longest(chars, i, n);
                if (end > i) {
                    AddedToken token = tokens.get(trie.value(chars, i, end));
                    if (accept(token, text, i, end, match)) {
                        return true;
                    }
                    i = end - 1;
                }
            }
        }
        match.resume = n;
        return false;
    }

    private int longest(char[] chars, int from, int to) {
        int node = Trie.ROOT;
        int end = from;
        for (int i = from; i < to; i++) {
            node = trie.child(node, chars[i]);
            if (node == Trie.NONE) {
                break;
            }
            if (trie.value(node) != Trie.NONE) {
                end = i + 1;
            }
        }
        return end;
    }

    private static boolean accept(AddedToken token, Text text, int start, int end, Match match) {
        if (token.singleWord() && !isApart(text, start, end)) {
            return false;
        }
        int previousEnd = match.end;
        match.id = token.id();
        match.start = start;
        match.end = end;
        match.resume = end;
        if (token.stripsLeft()) {
            while (match.start > previousEnd && isSpaceBefore(text, match.start)) {
                match.start--;
            }
        }
        if (token.stripsRight()) {
            while (match.end < text.length && Unicode.isWhiteSpace(text.chars[match.end])) {
                match.end++;
            }
        }
        return true;
    }

    private static boolean isApart(Text text, int start, int end) {
        return (start == 0 || !Unicode.isWordCharacter(text.codePointBefore(start)))
                && (end == text.length || !Unicode.isWordCharacter(text.codePointAt(end)));
    }

    /** All white space lies in the basic plane. */
    private static boolean isSpaceBefore(Text text, int i) {
        return Unicode.isWhiteSpace(text.chars[i - 1]);
    }
}

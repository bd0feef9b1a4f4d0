package io.cyclane.model.text;

/**
 * GPT-2's cutting, and each byte of the UTF-8 form written as a character of {@link ByteAlphabet}.
 *
 * <p>The cuts are those of the expression {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
 * ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}, whose matches cover any text; it is matched by hand, since this
 * is the inner loop of every byte-level tokenizer.
 */
record ByteLevel(boolean addsPrefixSpace, boolean cuts) implements PreTokenizer {
    private static final byte LETTER = 0;
    private static final byte NUMBER = 1;
    private static final byte SPACE = 2;
    private static final byte OTHER = 3;

    private static final byte[] ASCII = new byte[0x80];

    static {
        for (int c = 0; c < ASCII.length; c++) {
            ASCII[c] = slowKind(c);
        }
    }

    @Override
    public void apply(Pieces pieces) {
        if (addsPrefixSpace) {
            addPrefixSpaces(pieces);
        }
        Text text = pieces.text();
        Text out = pieces.rewriting();
        for (int piece = 0; piece < pieces.count(); piece++) {
            int to = pieces.to(piece);
            for (int from = pieces.from(piece), next; from < to; from = next) {
                next = cuts ? cut(text, from, to) : to;
                int start = out.length;
                ByteAlphabet.spell(text, from, next, out);
                pieces.add(start, out.length);
            }
        }
        pieces.advanceRewritten();
    }

    private static void addPrefixSpaces(Pieces pieces) {
        Text text = pieces.text();
        Text out = pieces.rewriting();
        for (int piece = 0; piece < pieces.count(); piece++) {
            int from = pieces.from(piece);
            int start = out.length;
            if (text.chars[from] != ' ') {
                out.add(' ', text.origin(from));
            }
            out.add(text, from, pieces.to(piece));
            pieces.add(start, out.length);
        }
        pieces.advanceRewritten();
    }

    /** {@return where the match that begins at {@code from} ends}. */
    private static int cut(Text text, int from, int to) {
        char[] chars = text.chars;
        int start = from;
        if (chars[from] == '\'') {
            int end = contraction(chars, from, to);
            if (end > from) {
                return end;
            }
        } else if (chars[from] == ' ' && from + 1 < to) {
            start = from + 1;
        }
        byte kind = kind(text, start);
        if (kind != SPACE) {
            return endOfRun(text, start, to, kind);
        }
        int end = endOfRun(text, from, to, SPACE);
        // The last blank of several goes to the word that follows.
        boolean leavesOne = end < to && end - from > 1;
        return leavesOne ? end - 1 : end;
    }

    private static int contraction(char[] chars, int from, int to) {
        if (from + 1 < to) {
            char first = chars[from + 1];
            if (first == 's' || first == 't' || first == 'm' || first == 'd') {
                return from + 2;
            }
            if (from + 2 < to) {
                char second = chars[from + 2];
                boolean isLong =
                        (first == 'r' && second == 'e')
                                || (first == 'v' && second == 'e')
                                || (first == 'l' && second == 'l');
                return isLong ? from + 3 : from;
            }
        }
        return from;
    }

    private static int endOfRun(Text text, int from, int to, byte kind) {
        char[] chars = text.chars;
        for (int i = from; i < to; i++) {
            char c = chars[i];
            if (c < ASCII.length) {
                if (ASCII[c] != kind) {
                    return i;
                }
            } else {
                int codePoint = text.codePointAt(i);
                if (slowKind(codePoint) != kind) {
                    return i;
                }
                i += Character.charCount(codePoint) - 1;
            }
        }
        return to;
    }

    private static byte kind(Text text, int at) {
        char c = text.chars[at];
        return c < ASCII.length ? ASCII[c] : slowKind(text.codePointAt(at));
    }

    private static byte slowKind(int c) {
        if (Character.isLetter(c)) {
            return LETTER;
        } else if (Unicode.isNumber(c)) {
            return NUMBER;
        }
        return Unicode.isWhiteSpace(c) ? SPACE : OTHER;
    }
}

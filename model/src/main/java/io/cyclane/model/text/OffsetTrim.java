package io.cyclane.model.text;

/**
 * Takes the blanks at a byte-level token's ends out of its place in the text.
 *
 * @param keepsPrefixSpace the first token's one leading blank was put there by us, and has no place
 */
record OffsetTrim(boolean keepsPrefixSpace) {
    void apply(Tokens tokens, int i, String spelling) {
        int leading = leadingSpaces(spelling);
        int trailing = trailingSpaces(spelling);
        int start = tokens.starts[i];
        int end = tokens.ends[i];
        boolean isOurs = keepsPrefixSpace && leading == 1 && (i == 0 || start == 0);
        if (leading > 0 && !isOurs) {
            start = Math.min(tokens.placeAfter(start, leading), end);
        }
        if (trailing > 0) {
            end = Math.max(tokens.placeBefore(end, trailing), start);
        }
        tokens.starts[i] = start;
        tokens.ends[i] = end;
    }

    private static int leadingSpaces(String spelling) {
        int n = 0;
        while (n < spelling.length() && isSpace(spelling.charAt(n))) {
            n++;
        }
        return n;
    }

    private static int trailingSpaces(String spelling) {
        int n = 0;
        while (n < spelling.length() && isSpace(spelling.charAt(spelling.length() - 1 - n))) {
            n++;
        }
        return n;
    }

    private static boolean isSpace(char c) {
        return c == ByteAlphabet.SPACE || Unicode.isWhiteSpace(c);
    }
}

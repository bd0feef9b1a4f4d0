package io.cyclane.model.text;

/**
 * Writes blanks as a visible character, of which a word may get one at its front, and cuts before
 * each of them.
 */
record Metaspace(int replacement, Prefix prefix, boolean splits) implements PreTokenizer {
    /** Which pieces get a replacement character at the front, if they do not begin with one. */
    enum Prefix {
        ALWAYS,
        /** Only the piece at the very beginning of the text. */
        FIRST,
        NEVER
    }

    @Override
    public void apply(Pieces pieces) {
        Text text = pieces.text();
        Text out = pieces.rewriting();
        for (int piece = 0; piece < pieces.count(); piece++) {
            int from = pieces.from(piece);
            int to = pieces.to(piece);
            int start = out.length;
            if (getsPrefix(text, from)) {
                out.addCodePoint(replacement, text.origin(from));
            }
            for (int i = from; i < to; i++) {
                if (text.chars[i] == ' ') {
                    out.addCodePoint(replacement, text.origin(i));
                } else {
                    out.add(text.chars[i], text.origin(i));
                }
            }
            if (splits) {
                cut(out, start, pieces);
            } else {
                pieces.add(start, out.length);
            }
        }
        pieces.advanceRewritten();
    }

    /** Whether a piece is the first one shows in its origin, which counts removed characters. */
    @Override
    public boolean readsOrigins() {
        return prefix == Prefix.FIRST;
    }

    private boolean getsPrefix(Text text, int from) {
        int first = text.codePointAt(from);
        return first != ' '
                && first != replacement
                && switch (prefix) {
                    case ALWAYS -> true;
                    case FIRST -> text.origin(from) == 0;
                    case NEVER -> false;
                };
    }

    private void cut(Text out, int from, Pieces pieces) {
        int start = from;
        int width = Character.charCount(replacement);
        for (int i = from; i < out.length; i++) {
            if (out.codePointAt(i) == replacement) {
                pieces.add(start, i);
                start = i;
                i += width - 1;
            }
        }
        pieces.add(start, out.length);
    }
}

package io.cyclane.model.text;

/**
 * Cuts at white space, which goes, and around punctuation, each mark of which is a piece of its
 * own.
 */
final class BertPreTokenizer implements PreTokenizer {
    private static final byte WORD = 0;
    private static final byte SPACE = 1;
    private static final byte MARK = 2;

    private static final byte[] ASCII = new byte[0x80];

    static {
        for (int c = 0; c < ASCII.length; c++) {
            ASCII[c] = classOf(c);
        }
    }

    @Override
    public void apply(Pieces pieces) {
        Text text = pieces.text();
        for (int piece = 0; piece < pieces.count(); piece++) {
            cut(text, pieces.from(piece), pieces.to(piece), pieces);
        }
        pieces.advance();
    }

    private static void cut(Text text, int from, int to, Pieces out) {
        char[] chars = text.chars;
        int word = from;
        for (int i = from; i < to; i++) {
            int start = i;
            byte kind;
            if (chars[i] < ASCII.length) {
                kind = ASCII[chars[i]];
            } else {
                int c = text.codePointAt(i);
                kind = classOf(c);
                i += Character.charCount(c) - 1;
            }
            if (kind != WORD) {
                out.add(word, start);
                if (kind == MARK) {
                    out.add(start, i + 1);
                }
                word = i + 1;
            }
        }
        out.add(word, to);
    }

    private static byte classOf(int c) {
        if (Unicode.isWhiteSpace(c)) {
            return SPACE;
        }
        return Unicode.isPunctuation(c) ? MARK : WORD;
    }
}

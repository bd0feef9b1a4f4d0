package io.cyclane.model.text;

/** Runs of word characters, and runs of what is neither that nor white space; the rest goes. */
record Words() implements PreTokenizer {
    private enum Kind {
        SPACE,
        WORD,
        OTHER
    }

    @Override
    public void apply(Pieces pieces) {
        Text text = pieces.text();
        for (int piece = 0; piece < pieces.count(); piece++) {
            int start = pieces.from(piece);
            int to = pieces.to(piece);
            Kind run = Kind.SPACE;
            for (int i = start, width; i < to; i += width) {
                int c = text.codePointAt(i);
                width = Character.charCount(c);
                Kind kind = kind(c);
                if (kind != run) {
                    if (run != Kind.SPACE) {
                        pieces.add(start, i);
                    }
                    start = i;
                    run = kind;
                }
            }
            if (run != Kind.SPACE) {
                pieces.add(start, to);
            }
        }
        pieces.advance();
    }

    private static Kind kind(int c) {
        if (Unicode.isWhiteSpace(c)) {
            return Kind.SPACE;
        }
        return Unicode.isWordCharacter(c) ? Kind.WORD : Kind.OTHER;
    }
}

package io.cyclane.model.text;

/** Whole pieces, looked up in the vocabulary. */
record WordLevel(Vocabulary vocabulary, String unknown) implements Model {
    @Override
    public int unknownId() {
        return vocabulary.id(unknown);
    }

    @Override
    public void encode(Pieces pieces, Tokens out, Symbols symbols) {
        Text text = pieces.text();
        for (int i = 0; i < pieces.count(); i++) {
            int from = pieces.from(i);
            int to = pieces.to(i);
            int id = vocabulary.id(text.chars, from, to);
            out.add(id == Vocabulary.NONE ? unknownId(text, from, to) : id, text, from, to);
            if (out.endPiece()) {
                return;
            }
        }
    }

    private int unknownId(Text text, int from, int to) {
        int id = vocabulary.id(unknown);
        if (id == Vocabulary.NONE) {
            throw new TokenizerException(
                    "'%s' is not in the vocabulary, and neither is the unknown token '%s'"
                            .formatted(text.string(from, to), unknown));
        }
        return id;
    }
}

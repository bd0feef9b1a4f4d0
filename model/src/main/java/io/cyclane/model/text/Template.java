package io.cyclane.model.text;

import java.util.List;

/**
 * What surrounds the tokens of a text, or of a pair of texts.
 *
 * @param single the parts of a sequence of one text; it holds the text once
 * @param pair the parts of a sequence of two texts; it holds each of them once
 */
record Template(List<Part> single, List<Part> pair) {
    /** A part of a sequence. */
    sealed interface Part {}

    /** A token of the tokenizer's own. */
    record Special(int id, int typeId) implements Part {}

    /** The first or the second text. */
    record Content(boolean isSecond, int typeId) implements Part {}

    private static final Content FIRST = new Content(false, 0);
    private static final Content SECOND = new Content(true, 0);

    /** The texts alone; the second one of type 1. */
    static final Template BARE = new Template(List.of(FIRST), List.of(FIRST, new Content(true, 1)));

    Template {
        single = List.copyOf(single);
        pair = List.copyOf(pair);
    }

    /** BERT's: {@code CLS A SEP B SEP}, of which {@code B SEP} has type 1. */
    static Template bert(int cls, int sep) {
        List<Part> single = List.of(new Special(cls, 0), FIRST, new Special(sep, 0));
        return new Template(
                single,
                List.of(
                        new Special(cls, 0),
                        FIRST,
                        new Special(sep, 0),
                        new Content(true, 1),
                        new Special(sep, 1)));
    }

    /** RoBERTa's: {@code CLS A SEP SEP B SEP}, all of type 0. */
    static Template roberta(int cls, int sep) {
        Special end = new Special(sep, 0);
        return new Template(
                List.of(new Special(cls, 0), FIRST, end),
                List.of(new Special(cls, 0), FIRST, end, end, SECOND, end));
    }

    /** {@return the number of tokens a sequence has beside its texts}. */
    int specials(boolean isPair) {
        List<Part> parts = isPair ? pair : single;
        int contents = isPair ? 2 : 1;
        return parts.size() - contents;
    }
}

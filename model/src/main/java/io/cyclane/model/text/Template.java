package io.cyclane.model.text;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What surrounds the tokens of a text, or of a pair of texts.
 *
 * @param single the parts of a sequence of one text; it holds the text once
 * @param pair the parts of a sequence of two texts; it holds each of them once
 */
record Template(List<Part> single, List<Part> pair) {
    /** A part of a sequence. */
    sealed interface Part {}

    /** A token of the tokenizer's own, by the name that its file gives it. */
    record Special(String token, int id, int typeId) implements Part {
        /** {@return the same token of another type} */
        Special of(int otherType) {
            return new Special(token, id, otherType);
        }
    }

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
    static Template bert(Special cls, Special sep) {
        return new Template(
                List.of(cls, FIRST, sep),
                List.of(cls, FIRST, sep, new Content(true, 1), sep.of(1)));
    }

    /** RoBERTa's: {@code CLS A SEP SEP B SEP}, all of type 0. */
    static Template roberta(Special cls, Special sep) {
        return new Template(List.of(cls, FIRST, sep), List.of(cls, FIRST, sep, sep, SECOND, sep));
    }

    /** {@return the names of its tokens by id}, in order. */
    Map<Integer, String> names() {
        Map<Integer, String> names = new TreeMap<>();
        for (List<Part> parts : List.of(pair, single)) {
            for (Part part : parts) {
                if (part instanceof Special special) {
                    names.put(special.id(), special.token());
                }
            }
        }
        return names;
    }

    /** {@return the number of tokens a sequence has beside its texts}. */
    int specials(boolean isPair) {
        List<Part> parts = isPair ? pair : single;
        int contents = isPair ? 2 : 1;
        return parts.size() - contents;
    }
}

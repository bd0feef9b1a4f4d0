package io.cyclane.model;

import io.cyclane.model.text.Encoding;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import java.util.List;

/**
 * Turns texts into the token sequences that a model reads, at most so many tokens each. Immutable
 * and thread-safe.
 *
 * @param bare a tokenizer without special tokens, for models that read none
 */
record TextReader(TextModel model, Tokenizer tokenizer, Tokenizer bare, int maxTokens) {
    static TextReader of(TextModel model, Tokenizer tokenizer, int maxTokens) {
        return new TextReader(model, tokenizer, tokenizer.bare(), maxTokens);
    }

    /** {@return a reader of other length} */
    TextReader upTo(int limit) {
        return new TextReader(model, tokenizer, bare, limit);
    }

    /** {@return the texts, none of them null} */
    static List<String> checked(List<String> texts) {
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i) == null) {
                throw new NullPointerException("text " + i + " of the list is null");
            }
        }
        return List.copyOf(texts);
    }

    /** {@return how many tokens are put around every text} */
    int specials() {
        return model.encoder().readsSpecials() ? tokenizer.specials(false) : 0;
    }

    /**
     * Appends a text as one sequence, or, where long texts are read in parts, as several.
     *
     * @return the number of its tokens, those of all parts together
     */
    int text(String text, LongTexts longTexts, TokenBatch to) {
        int before = to.tokens();
        if (!model.encoder().readsSpecials()) {
            known(text, longTexts, to);
        } else if (longTexts == LongTexts.CHUNK) {
            tokenizer.encodeParts(text, maxTokens, 0, to);
        } else {
            tokenizer.encode(text, maxTokens, to);
        }
        return to.tokens() - before;
    }

    /** Unknown tokens take no room, so that the limit can only be applied once they are out. */
    private void known(String text, LongTexts longTexts, TokenBatch to) {
        TokenBatch whole = new TokenBatch();
        bare.encode(text, Tokenizer.NO_LIMIT, whole);
        whole.remove(bare.unknownId());
        whole.parts(maxTokens, longTexts == LongTexts.CHUNK, to);
    }

    /**
     * Appends a pair of texts as one sequence, or, where long texts are read in parts, as several
     * that each repeat the first text.
     */
    void pair(TextPair pair, LongTexts longTexts, TokenBatch to) {
        if (longTexts == LongTexts.CHUNK) {
            tokenizer.encodeParts(pair.first(), pair.second(), maxTokens, 0, to);
        } else {
            tokenizer.encode(pair.first(), pair.second(), maxTokens, to);
        }
    }

    /**
     * {@return a text as one sequence, or as several, with where in the text each token stands}
     *
     * @param overlap how many of a part's last tokens the next one begins with
     */
    List<Encoding> encodings(String text, LongTexts longTexts, int overlap) {
        return longTexts == LongTexts.CHUNK
                ? tokenizer.encode(text, Tokenizer.NO_LIMIT).parts(maxTokens, overlap)
                : List.of(tokenizer.encode(text, maxTokens));
    }

    /** {@return the same of a pair of texts; parts each repeat the first text} */
    List<Encoding> encodings(TextPair pair, LongTexts longTexts, int overlap) {
        return longTexts == LongTexts.CHUNK
                ? tokenizer
                        .encode(pair.first(), pair.second(), Tokenizer.NO_LIMIT)
                        .parts(maxTokens, overlap)
                : List.of(tokenizer.encode(pair.first(), pair.second(), maxTokens));
    }
}

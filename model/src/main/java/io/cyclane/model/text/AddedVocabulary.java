package io.cyclane.model.text;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a tokenizer that are found in a text before its model sees it, by content, by id
 * and by where they stand in texts. Immutable.
 */
final class AddedVocabulary {
    /** By rising content, and by rising id: two maps would take a hundred bytes a token. */
    private final AddedToken[] byContent;

    private final AddedToken[] byId;
    private final @Nullable Normalizer normalizer;
    private final AddedTokens raw;
    private final AddedTokens normalized;

    /**
     * Tokens and what makes normalized forms of them.
     *
     * @param source where they stand, for errors
     * @throws TokenizerException if two have one content
     */
    AddedVocabulary(String source, List<AddedToken> tokens, @Nullable Normalizer normalizer) {
        this.normalizer = normalizer;
        this.byContent = tokens.toArray(AddedToken[]::new);
        Arrays.sort(byContent, Comparator.comparing(AddedToken::content));
        for (int i = 1; i < byContent.length; i++) {
            if (byContent[i].content().equals(byContent[i - 1].content())) {
                throw new TokenizerException(
                        "%s: '%s' is added twice"
                                .formatted(source, Json.shown(byContent[i].content())));
            }
        }
        // Of tokens that share an id the last counts.
        this.byId = tokens.reversed().toArray(AddedToken[]::new);
        Arrays.sort(byId, Comparator.comparingInt(AddedToken::id));
        this.raw = search(tokens, false);
        this.normalized = search(tokens, true);
    }

    private AddedTokens search(List<AddedToken> tokens, boolean isNormalized) {
        List<AddedToken> found =
                tokens.stream().filter(token -> token.isNormalized() == isNormalized).toList();
        Spellings forms = new Spellings();
        for (AddedToken token : found) {
            forms.add(isNormalized ? normalizedForm(token) : token.content());
        }
        return new AddedTokens(found, forms);
    }

    /** {@return a search for the tokens that stand in texts as they come} */
    AddedTokens raw() {
        return raw;
    }

    /** {@return a search for those that stand in normalized texts} */
    AddedTokens normalized() {
        return normalized;
    }

    /** {@return the token of a content}, or null. */
    @Nullable AddedToken token(String content) {
        int low = 0;
        int high = byContent.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (byContent[middle].content().compareTo(content) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        boolean isFound = low < byContent.length && byContent[low].content().equals(content);
        return isFound ? byContent[low] : null;
    }

    /** {@return the token of an id}, or null. */
    @Nullable AddedToken token(int id) {
        int low = 0;
        int high = byId.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (byId[middle].id() < id) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < byId.length && byId[low].id() == id ? byId[low] : null;
    }

    /** {@return one more than the largest id}. */
    int idBound() {
        return byId.length == 0 ? 0 : byId[byId.length - 1].id() + 1;
    }

    /** {@return the content as the normalizer leaves it} */
    String normalizedForm(AddedToken token) {
        if (normalizer == null) {
            return token.content();
        }
        Text text = new Text();
        text.load(token.content(), false);
        normalizer.apply(text, new Text());
        return text.string(0, text.length);
    }
}

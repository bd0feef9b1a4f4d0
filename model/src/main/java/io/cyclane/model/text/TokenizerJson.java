package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a {@code tokenizer.json}; what we do not have is refused by its name. */
final class TokenizerJson {
    private static final Set<String> COMPONENTS =
            Set.of(
                    "normalizer",
                    "pre_tokenizer",
                    "post_processor",
                    "decoder",
                    "truncation",
                    "padding");

    private static final Set<String> TOKEN =
            Set.of("id", "content", "special", "single_word", "lstrip", "rstrip", "normalized");

    private TokenizerJson() {}

    /**
     * Reads the current value of an input.
     *
     * @param file for errors
     */
    static Tokenizer read(String file, JsonInput input) {
        ModelJson modelJson = new ModelJson(file + ".model");
        List<AddedToken> tokens = new ArrayList<>();
        Json json =
                input.object(
                        file,
                        COMPONENTS,
                        Map.of(
                                "model", place -> modelJson.read(input),
                                "added_tokens", place -> addedTokens(place, input, tokens)));
        Model model = modelJson.model();
        String addedPlace = file + ".added_tokens";
        checkIds(addedPlace, tokens, model.vocabulary());
        tokens.removeIf(token -> token.content().isEmpty());
        Json normalizerJson = json.get("normalizer");
        Normalizer normalizer =
                normalizerJson.isNull() ? null : NormalizerJson.read(normalizerJson);
        Json preTokenizer = json.get("pre_tokenizer");
        Json decoder = json.get("decoder");
        Json postProcessor = json.get("post_processor");
        return new Tokenizer(
                new AddedVocabulary(addedPlace, tokens, normalizer),
                normalizer,
                preTokenizer.isNull() ? null : PreTokenizerJson.read(preTokenizer),
                model,
                PostProcessorJson.template(postProcessor),
                PostProcessorJson.trim(postProcessor),
                decoder.isNull() ? null : DecoderJson.read(decoder),
                truncation(json.get("truncation")),
                padding(json.get("padding")));
    }

    /** {@return a pattern}, written {"String": s} or {"Regex": s}. */
    static TextPattern pattern(Json json) {
        if (json.has("String")) {
            return new TextPattern.Literal(json.get("String").string());
        }
        return TextPattern.Regex.compile(json.place(), json.get("Regex").string());
    }

    /** {@return the kind of a component}, as errors and switches name it. */
    static String type(Json component) {
        return component.get("type").string();
    }

    static TokenizerException unknown(Json component, String kind, String type, String known) {
        return new TokenizerException(
                "%s: the %s '%s' is not supported; supported are %s"
                        .formatted(component.place(), kind, type, known));
    }

    static TokenizerException ofSentencePiece(Json component, String kind, String type) {
        return new TokenizerException(
                ("%s: the %s '%s' is not supported: it comes with SentencePiece, whose tokenizers"
                                + " are not read; take a model with another tokenizer")
                        .formatted(component.place(), kind, type));
    }

    private static void addedTokens(String place, JsonInput input, List<AddedToken> to) {
        if (input.isNull()) {
            return;
        }
        input.elements(
                place,
                i -> {
                    Json token = input.object(place + "[" + i + "]", TOKEN, Map.of());
                    boolean isSpecial = token.get("special").flag(false);
                    to.add(
                            new AddedToken(
                                    token.get("id").count(),
                                    token.get("content").string(),
                                    token.get("single_word").flag(false),
                                    token.get("lstrip").flag(false),
                                    token.get("rstrip").flag(false),
                                    token.get("normalized").flag(!isSpecial),
                                    isSpecial));
                });
    }

    private static void checkIds(String place, List<AddedToken> tokens, Vocabulary vocabulary) {
        for (int i = 0; i < tokens.size(); i++) {
            AddedToken token = tokens.get(i);
            int id = vocabulary.id(token.content());
            if (id != Vocabulary.NONE && id != token.id()) {
                throw new TokenizerException(
                        "%s[%d]: '%s' has the id %d here and %d in the vocabulary"
                                .formatted(place, i, token.content(), token.id(), id));
            }
        }
    }

    private static @Nullable Truncation truncation(Json json) {
        if (json.isNull()) {
            return null;
        }
        Json strategy = json.get("strategy");
        Json direction = json.get("direction");
        return new Truncation(
                json.get("max_length").count(),
                json.get("stride").count(0),
                switch (strategy.string("LongestFirst")) {
                    case "LongestFirst" -> Truncation.Strategy.LONGEST_FIRST;
                    case "OnlyFirst" -> Truncation.Strategy.ONLY_FIRST;
                    case "OnlySecond" -> Truncation.Strategy.ONLY_SECOND;
                    default -> throw strategy.wanted("LongestFirst, OnlyFirst or OnlySecond");
                },
                side(direction));
    }

    private static @Nullable Padding padding(Json json) {
        if (json.isNull()) {
            return null;
        }
        Json strategy = json.get("strategy");
        boolean isFixed = !strategy.isNull() && !strategy.isString();
        if (!isFixed && !strategy.string("BatchLongest").equals("BatchLongest")) {
            throw strategy.wanted("BatchLongest or {\"Fixed\": length}");
        }
        return new Padding(
                isFixed ? strategy.get("Fixed").count() : 0,
                json.get("pad_to_multiple_of").count(0),
                side(json.get("direction")),
                json.get("pad_id").count(0),
                json.get("pad_type_id").count(0),
                json.get("pad_token").string("[PAD]"));
    }

    private static Truncation.Side side(Json json) {
        return switch (json.string("Right")) {
            case "Right" -> Truncation.Side.RIGHT;
            case "Left" -> Truncation.Side.LEFT;
            default -> throw json.wanted("Left or Right");
        };
    }
}

package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads a {@code tokenizer.json}; what we do not have is refused by its name. */
final class TokenizerJson {
    private TokenizerJson() {}

    static Tokenizer read(Json json) {
        Model model = ModelJson.read(json.get("model"));
        Json normalizer = json.get("normalizer");
        Json preTokenizer = json.get("pre_tokenizer");
        Json decoder = json.get("decoder");
        Json postProcessor = json.get("post_processor");
        return new Tokenizer(
                addedTokens(json.get("added_tokens"), model.vocabulary()),
                normalizer.isNull() ? null : NormalizerJson.read(normalizer),
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

    private static List<AddedToken> addedTokens(Json json, Vocabulary vocabulary) {
        Map<String, AddedToken> tokens = new LinkedHashMap<>();
        if (json.isNull()) {
            return List.of();
        }
        for (Json token : json.elements()) {
            String content = token.get("content").string();
            boolean isSpecial = token.get("special").flag(false);
            int id = token.get("id").count();
            int vocabularyId = vocabulary.id(content);
            if (vocabularyId != Vocabulary.NONE && vocabularyId != id) {
                throw new TokenizerException(
                        "%s: '%s' has the id %d here and %d in the vocabulary"
                                .formatted(token.place(), content, id, vocabularyId));
            }
            AddedToken added =
                    new AddedToken(
                            id,
                            content,
                            token.get("single_word").flag(false),
                            token.get("lstrip").flag(false),
                            token.get("rstrip").flag(false),
                            token.get("normalized").flag(!isSpecial),
                            isSpecial);
            if (!content.isEmpty() && tokens.put(content, added) != null) {
                throw new TokenizerException(
                        "%s: '%s' is added twice".formatted(token.place(), content));
            }
        }
        return new ArrayList<>(tokens.values());
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

package io.cyclane.model.text;

import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads the {@code model} of a {@code tokenizer.json}. */
final class ModelJson {
    private static final Set<String> SETTINGS =
            Set.of(
                    "type",
                    "unk_token",
                    "continuing_subword_prefix",
                    "max_input_chars_per_word",
                    "dropout",
                    "end_of_word_suffix",
                    "fuse_unk",
                    "byte_fallback",
                    "ignore_merges");

    private final String place;
    private Json settings;
    private final Vocabulary.Builder pieces = new Vocabulary.Builder();
    private final MergeRules rules;

    /** What stood where the vocabulary should; null if it was one. */
    private @Nullable Json noVocabulary;

    /** Whether what stood there was a list, as in the kind that we do not have. */
    private boolean isVocabularyList;

    private boolean hasMerges;

    /** Nothing yet of a model that stands at a place. */
    ModelJson(String place) {
        this.place = place;
        this.settings = new Json(place, null);
        this.noVocabulary = new Json(place + ".vocab", null);
        this.rules = new MergeRules(place + ".merges");
    }

    /** Reads the current value of an input. Members may come in any order. */
    void read(JsonInput input) {
        settings =
                input.object(
                        place,
                        SETTINGS,
                        Map.of(
                                "vocab", at -> readPieces(at, input),
                                "merges", at -> readMerges(at, input)));
    }

    /** {@return the model that was read} */
    Model model() {
        String type = type();
        return switch (type) {
            case "BPE" -> bpe();
            case "Unigram" -> throw TokenizerJson.ofSentencePiece(settings, "model", type);
            case "WordLevel" ->
                    new WordLevel(vocabulary(), settings.get("unk_token").string("<unk>"));
            case "WordPiece" ->
                    new WordPiece(
                            vocabulary(),
                            settings.get("unk_token").string("[UNK]"),
                            settings.get("continuing_subword_prefix").string("##"),
                            settings.get("max_input_chars_per_word").count(100));
            default ->
                    throw TokenizerJson.unknown(
                            settings, "model", type, "BPE, WordLevel, WordPiece");
        };
    }

    /** Older files do not name the kind; it shows in the members then. */
    private String type() {
        if (settings.has("type")) {
            return TokenizerJson.type(settings);
        } else if (hasMerges) {
            return "BPE";
        } else if (settings.has("max_input_chars_per_word")) {
            return "WordPiece";
        }
        return isVocabularyList ? "Unigram" : "WordLevel";
    }

    /** {@return a vocabulary, the current value of an input} */
    static Vocabulary vocabulary(String file, JsonInput input) {
        Vocabulary.Builder pieces = new Vocabulary.Builder();
        readPieces(file, input, pieces);
        return pieces.build(file);
    }

    private static void readPieces(String place, JsonInput input, Vocabulary.Builder to) {
        input.members(place, piece -> to.add(piece, input.count(() -> place + "." + piece)));
    }

    private void readPieces(String at, JsonInput input) {
        if (input.isObject()) {
            noVocabulary = null;
            readPieces(at, input, pieces);
        } else if (input.isArray()) {
            isVocabularyList = true;
            noVocabulary = new Json(at, "an array");
            input.skip();
        } else {
            noVocabulary = input.value(at);
        }
    }

    private Vocabulary vocabulary() {
        if (noVocabulary != null) {
            throw noVocabulary.wanted("an object");
        }
        return pieces.build(place + ".vocab");
    }

    private void readMerges(String at, JsonInput input) {
        if (input.isNull()) {
            return;
        }
        hasMerges = true;
        input.elements(at, i -> readMerge(() -> at + "[" + i + "]", input));
    }

    private void readMerge(Supplier<String> at, JsonInput input) {
        if (!input.isArray()) {
            String line = input.string(at);
            if (!rules.addLine(line)) {
                throw MergeRules.noRule(at.get(), line);
            }
            return;
        }
        String[] pair = new String[2];
        input.elements(
                "",
                part -> {
                    if (part > 1) {
                        throw new Json(at.get(), "more").wanted("two pieces");
                    }
                    pair[part] = input.string(() -> at.get() + "[" + part + "]");
                });
        if (pair[1] == null) {
            throw new Json(at.get(), "fewer").wanted("two pieces");
        }
        rules.add(pair[0], pair[1]);
    }

    private Model bpe() {
        Json dropout = settings.get("dropout");
        if (!dropout.isNull() && dropout.number() != 0) {
            throw dropout.wanted("none: with dropout a text has no definite ids");
        }
        if (!hasMerges) {
            throw new Json(place + ".merges", null).wanted("an array");
        }
        Vocabulary vocabulary = vocabulary();
        String prefix = settings.get("continuing_subword_prefix").string("");
        Json unknown = settings.get("unk_token");
        return new Bpe(
                vocabulary,
                rules.compile(vocabulary, prefix),
                new Bpe.Options(
                        unknown.isNull() ? null : unknown.string(),
                        prefix,
                        settings.get("end_of_word_suffix").string(""),
                        settings.get("fuse_unk").flag(false),
                        settings.get("byte_fallback").flag(false),
                        settings.get("ignore_merges").flag(false)));
    }
}

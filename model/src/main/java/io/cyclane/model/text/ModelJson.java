package io.cyclane.model.text;

import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the {@code model} of a {@code tokenizer.json}. */
final class ModelJson {
    private ModelJson() {}

    static Model read(Json json) {
        return switch (type(json)) {
            case "WordPiece" ->
                    new WordPiece(
                            vocabulary(json.get("vocab")),
                            json.get("unk_token").string("[UNK]"),
                            json.get("continuing_subword_prefix").string("##"),
                            json.get("max_input_chars_per_word").count(100));
            default -> throw TokenizerJson.unknown(json, "model", type(json), "WordPiece");
        };
    }

    /** Older files do not name the kind; it shows in the members then. */
    private static String type(Json json) {
        if (json.has("type")) {
            return TokenizerJson.type(json);
        } else if (json.has("merges")) {
            return "BPE";
        } else if (json.has("max_input_chars_per_word")) {
            return "WordPiece";
        }
        return json.get("vocab").isArray() ? "Unigram" : "WordLevel";
    }

    static Vocabulary vocabulary(Json json) {
        Map<String, Integer> ids = LinkedHashMap.newLinkedHashMap(json.object().size());
        for (String piece : json.object().keySet()) {
            ids.put(piece, json.get(piece).count());
        }
        return Vocabulary.of(ids);
    }
}

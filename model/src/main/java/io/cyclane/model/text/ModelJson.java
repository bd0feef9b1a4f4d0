package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads the {@code model} of a {@code tokenizer.json}. */
final class ModelJson {
    private ModelJson() {}

    static Model read(Json json) {
        String type = type(json);
        return switch (type) {
            case "BPE" -> bpe(json);
            case "WordLevel" ->
                    new WordLevel(
                            vocabulary(json.get("vocab")), json.get("unk_token").string("<unk>"));
            case "WordPiece" ->
                    new WordPiece(
                            vocabulary(json.get("vocab")),
                            json.get("unk_token").string("[UNK]"),
                            json.get("continuing_subword_prefix").string("##"),
                            json.get("max_input_chars_per_word").count(100));
            default ->
                    throw TokenizerJson.unknown(json, "model", type, "BPE, WordLevel, WordPiece");
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
        Map<String, Object> members = json.object();
        for (Map.Entry<String, Object> member : members.entrySet()) {
            boolean isId =
                    member.getValue() instanceof Long id && id >= 0 && id < Integer.MAX_VALUE;
            if (!isId) { // Only then its place in the file is wanted.
                json.get(member.getKey()).count();
            }
        }
        @SuppressWarnings("unchecked") // As was just seen; a copy would have 30,000 entries.
        Map<String, Long> ids = (Map<String, Long>) (Map<String, ?>) members;
        return Vocabulary.of(json.place(), ids);
    }

    private static Model bpe(Json json) {
        Json dropout = json.get("dropout");
        if (!dropout.isNull() && dropout.number() != 0) {
            throw dropout.wanted("none: with dropout a text has no definite ids");
        }
        Vocabulary vocabulary = vocabulary(json.get("vocab"));
        String prefix = json.get("continuing_subword_prefix").string("");
        Json unknown = json.get("unk_token");
        List<Json> entries = json.get("merges").elements();
        List<MergeRule> rules = new ArrayList<>(entries.size());
        for (Json entry : entries) {
            rules.add(
                    entry.isString()
                            ? MergeRule.parse(entry.place(), entry.string())
                            : pair(entry));
        }
        return new Bpe(
                vocabulary,
                MergeRule.compile(json.place() + ".merges", rules, vocabulary, prefix),
                new Bpe.Options(
                        unknown.isNull() ? null : unknown.string(),
                        prefix,
                        json.get("end_of_word_suffix").string(""),
                        json.get("fuse_unk").flag(false),
                        json.get("byte_fallback").flag(false),
                        json.get("ignore_merges").flag(false)));
    }

    private static MergeRule pair(Json entry) {
        List<Json> parts = entry.elements();
        if (parts.size() != 2) {
            throw entry.wanted("two pieces");
        }
        return new MergeRule(parts.get(0).string(), parts.get(1).string());
    }
}

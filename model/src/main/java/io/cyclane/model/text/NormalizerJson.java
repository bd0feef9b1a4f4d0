package io.cyclane.model.text;

import java.text.Normalizer.Form;

/** Reads the {@code normalizer} of a {@code tokenizer.json}. */
final class NormalizerJson {
    private static final String KNOWN =
            "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Prepend, Replace,"
                    + " Sequence, Strip, StripAccents";

    private NormalizerJson() {}

    static Normalizer read(Json json) {
        String type = TokenizerJson.type(json);
        return switch (type) {
            case "BertNormalizer" -> {
                boolean lowercase = json.get("lowercase").flag(true);
                yield new CodePointNormalizer(
                        new BertRule(
                                json.get("clean_text").flag(true),
                                json.get("handle_chinese_chars").flag(true),
                                json.get("strip_accents").flag(lowercase),
                                lowercase));
            }
            case "ByteLevel" -> CodePointNormalizer.byteLevel();
            case "Lowercase" -> CodePointNormalizer.lowercase();
            case "NFC", "NFD", "NFKC", "NFKD" -> new NormalForm(Form.valueOf(type));
            case "Nmt" -> new CodePointNormalizer(new NmtRule());
            case "Precompiled" -> throw TokenizerJson.ofSentencePiece(json, "normalizer", type);
            case "Prepend" -> new Normalizer.Prepend(json.get("prepend").string());
            case "Replace" ->
                    new Normalizer.Replace(
                            TokenizerJson.pattern(json.get("pattern")),
                            json.get("content").string());
            case "Sequence" ->
                    new Normalizer.Sequence(
                            json.get("normalizers").elements().stream()
                                    .map(NormalizerJson::read)
                                    .toList());
            case "Strip" ->
                    new Normalizer.Strip(
                            json.get("strip_left").flag(), json.get("strip_right").flag());
            case "StripAccents" -> CodePointNormalizer.stripAccents();
            default -> throw TokenizerJson.unknown(json, "normalizer", type, KNOWN);
        };
    }
}

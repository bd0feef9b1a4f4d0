package io.cyclane.model.text;

/** Reads the {@code decoder} of a {@code tokenizer.json}. */
final class DecoderJson {
    private static final String KNOWN =
            "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece";

    private DecoderJson() {}

    static Decoder read(Json json) {
        String type = TokenizerJson.type(json);
        return switch (type) {
            case "BPEDecoder" -> new Decoder.EndOfWord(json.get("suffix").string("</w>"));
            case "ByteFallback" -> new Decoder.ByteFallback();
            case "ByteLevel" -> new Decoder.ByteLevel();
            case "Fuse" -> new Decoder.Fuse();
            case "Metaspace" ->
                    new Decoder.Metaspace(
                            json.get("replacement").codePoint(),
                            PreTokenizerJson.prefix(json) != Metaspace.Prefix.NEVER);
            case "Replace" ->
                    new Decoder.Replace(
                            TokenizerJson.pattern(json.get("pattern")),
                            json.get("content").string());
            case "Sequence" ->
                    new Decoder.Sequence(
                            json.get("decoders").elements().stream()
                                    .map(DecoderJson::read)
                                    .toList());
            case "Strip" ->
                    new Decoder.Strip(
                            json.get("content").codePoint(),
                            json.get("start").count(),
                            json.get("stop").count());
            case "WordPiece" ->
                    new Decoder.WordPiece(
                            json.get("prefix").string("##"), json.get("cleanup").flag(true));
            default -> throw TokenizerJson.unknown(json, "decoder", type, KNOWN);
        };
    }
}

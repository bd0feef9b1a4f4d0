package io.cyclane.model.text;

/** Reads the {@code pre_tokenizer} of a {@code tokenizer.json}. */
final class PreTokenizerJson {
    private static final String KNOWN =
            "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace,"
                    + " Punctuation, Sequence, Split, UnicodeScripts, Whitespace, WhitespaceSplit";

    private PreTokenizerJson() {}

    static PreTokenizer read(Json json) {
        String type = TokenizerJson.type(json);
        return switch (type) {
            case "BertPreTokenizer" -> new BertPreTokenizer();
            case "ByteLevel" ->
                    new ByteLevel(
                            json.get("add_prefix_space").flag(true),
                            json.get("use_regex").flag(true));
            case "CharDelimiterSplit" -> {
                int delimiter = json.get("delimiter").codePoint();
                yield new PreTokenizer.CharacterSplit(c -> c == delimiter, Behavior.REMOVED);
            }
            case "Digits" ->
                    new PreTokenizer.CharacterSplit(
                            Unicode::isNumeric,
                            json.get("individual_digits").flag(false)
                                    ? Behavior.ISOLATED
                                    : Behavior.CONTIGUOUS);
            case "FixedLength" -> {
                Json length = json.get("length");
                if (length.count(5) == 0) {
                    throw length.wanted("at least 1");
                }
                yield new PreTokenizer.FixedLength(length.count(5));
            }
            case "Metaspace" ->
                    new Metaspace(
                            json.get("replacement").codePoint(),
                            prefix(json),
                            json.get("split").flag(true));
            case "Punctuation" ->
                    new PreTokenizer.CharacterSplit(
                            Unicode::isPunctuation, behavior(json.get("behavior")));
            case "Sequence" ->
                    new PreTokenizer.Sequence(
                            json.get("pretokenizers").elements().stream()
                                    .map(PreTokenizerJson::read)
                                    .toList());
            case "Split" ->
                    new PreTokenizer.Split(
                            TokenizerJson.pattern(json.get("pattern")),
                            behavior(json.get("behavior")),
                            json.get("invert").flag(false));
            case "UnicodeScripts" -> new Scripts();
            case "Whitespace" -> new Words();
            case "WhitespaceSplit" ->
                    new PreTokenizer.CharacterSplit(Unicode::isWhiteSpace, Behavior.REMOVED);
            default -> throw TokenizerJson.unknown(json, "pre-tokenizer", type, KNOWN);
        };
    }

    /** Older files say add_prefix_space, which must not contradict what newer ones say. */
    static Metaspace.Prefix prefix(Json metaspace) {
        Json scheme = metaspace.get("prepend_scheme");
        Metaspace.Prefix prefix =
                switch (scheme.string("always")) {
                    case "always" -> Metaspace.Prefix.ALWAYS;
                    case "first" -> Metaspace.Prefix.FIRST;
                    case "never" -> Metaspace.Prefix.NEVER;
                    default -> throw scheme.wanted("always, first or never");
                };
        boolean addsPrefix = metaspace.get("add_prefix_space").flag(true);
        if (!addsPrefix && !scheme.isNull() && prefix != Metaspace.Prefix.NEVER) {
            throw scheme.wanted("never, since add_prefix_space is false");
        }
        return addsPrefix ? prefix : Metaspace.Prefix.NEVER;
    }

    private static Behavior behavior(Json json) {
        return switch (json.string("Isolated")) {
            case "Removed" -> Behavior.REMOVED;
            case "Isolated" -> Behavior.ISOLATED;
            case "Contiguous" -> Behavior.CONTIGUOUS;
            case "MergedWithPrevious" -> Behavior.MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> Behavior.MERGED_WITH_NEXT;
            default ->
                    throw json.wanted(
                            "Removed, Isolated, Contiguous, MergedWithPrevious or MergedWithNext");
        };
    }
}

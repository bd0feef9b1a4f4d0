package io.cyclane.model.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * BERT's tokenizer out of its {@code vocab.txt}, one piece a line.
 *
 * <p>Whether texts are lower-cased stands in {@code tokenizer_config.json}. Where that is missing
 * the vocabulary tells: one made of lower-cased texts has no piece with a capital but its special
 * tokens.
 */
final class BertVocabulary {
    private static final String UNKNOWN = "[UNK]";
    private static final String CLS = "[CLS]";
    private static final String SEP = "[SEP]";
    private static final List<String> SPECIALS = List.of("[PAD]", UNKNOWN, CLS, SEP, "[MASK]");
    private static final String PREFIX = "##";
    private static final int MOST_CHARACTERS = 100;

    private BertVocabulary() {}

    static Tokenizer read(String file, String text, @Nullable Json config) {
        Map<String, Integer> ids = ids(text);
        Vocabulary vocabulary = Vocabulary.of(file, ids);
        List<AddedToken> added = new ArrayList<>();
        for (String special : SPECIALS) {
            Integer id = ids.get(special);
            if (id == null) {
                throw new TokenizerException("%s lacks the piece %s".formatted(file, special));
            }
            added.add(new AddedToken(id, special, false, false, false, false, true));
        }
        boolean lowercase =
                config == null
                        ? vocabulary.pieces().stream().noneMatch(BertVocabulary::isCapitalized)
                        : config.get("do_lower_case").flag(true);
        boolean stripAccents =
                config == null ? lowercase : config.get("strip_accents").flag(lowercase);
        boolean splitChinese = config == null || config.get("tokenize_chinese_chars").flag(true);
        return new Tokenizer(
                added,
                new CodePointNormalizer(new BertRule(true, splitChinese, stripAccents, lowercase)),
                new BertPreTokenizer(),
                new WordPiece(vocabulary, UNKNOWN, PREFIX, MOST_CHARACTERS),
                Template.bert(
                        new Template.Special(CLS, vocabulary.id(CLS), 0),
                        new Template.Special(SEP, vocabulary.id(SEP), 0)),
                null,
                new Decoder.WordPiece(PREFIX, true),
                null,
                null);
    }

    /** Lines lose the white space at their end; of equal lines the last one counts. */
    private static Map<String, Integer> ids(String text) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        int id = 0;
        for (int from = 0; from < text.length(); id++) {
            int newline = text.indexOf('\n', from);
            int lineEnd = newline < 0 ? text.length() : newline;
            int to = lineEnd;
            while (to > from && Unicode.isWhiteSpace(text.charAt(to - 1))) {
                to--;
            }
            ids.put(text.substring(from, to), id);
            from = lineEnd + 1;
        }
        return ids;
    }

    private static boolean isCapitalized(String piece) {
        boolean isBracketed = piece.startsWith("[") && piece.endsWith("]");
        return !isBracketed && !piece.equals(piece.toLowerCase(Locale.ROOT));
    }
}

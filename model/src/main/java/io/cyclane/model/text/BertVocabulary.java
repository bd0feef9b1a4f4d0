package io.cyclane.model.text;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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

    static Tokenizer read(String file, Reader text, @Nullable Json config) throws IOException {
        Vocabulary vocabulary = vocabulary(text);
        List<AddedToken> added = new ArrayList<>();
        for (String special : SPECIALS) {
            int id = vocabulary.id(special);
            if (id == Vocabulary.NONE) {
                throw new TokenizerException("%s lacks the piece %s".formatted(file, special));
            }
            added.add(new AddedToken(id, special, false, false, false, false, true));
        }
        boolean lowercase =
                config == null
                        ? !hasCapitals(vocabulary.pieces())
                        : config.get("do_lower_case").flag(true);
        boolean stripAccents =
                config == null ? lowercase : config.get("strip_accents").flag(lowercase);
        boolean splitChinese = config == null || config.get("tokenize_chinese_chars").flag(true);
        Normalizer normalizer =
                new CodePointNormalizer(new BertRule(true, splitChinese, stripAccents, lowercase));
        return new Tokenizer(
                new AddedVocabulary(file, added, normalizer),
                normalizer,
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
    private static Vocabulary vocabulary(Reader text) throws IOException {
        Vocabulary.Builder pieces = new Vocabulary.Builder();
        StringBuilder line = new StringBuilder();
        int id = 0;
        int read = 0;
        while (read >= 0) {
            read = text.read();
            if (read >= 0 && read != '\n') {
                line.append((char) read);
            } else if (read == '\n' || !line.isEmpty()) {
                int length = line.length();
                while (length > 0 && Unicode.isWhiteSpace(line.charAt(length - 1))) {
                    length--;
                }
                pieces.addLine(line.substring(0, length), id);
                line.setLength(0);
                id++;
            }
        }
        return pieces.buildOfLast();
    }

    private static boolean hasCapitals(Spellings pieces) {
        boolean found = false;
        for (int i = 0; i < pieces.size() && !found; i++) {
            found = isCapitalized(pieces.get(i));
        }
        return found;
    }

    private static boolean isCapitalized(String piece) {
        boolean isBracketed = piece.startsWith("[") && piece.endsWith("]");
        return !isBracketed && !piece.equals(piece.toLowerCase(Locale.ROOT));
    }
}

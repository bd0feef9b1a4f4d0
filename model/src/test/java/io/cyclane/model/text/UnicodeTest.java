package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer.Form;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every code point against what the reference library makes of it ({@code components.py} says how).
 */
class UnicodeTest {
    private static final Map<String, String> EXPECTED = new HashMap<>();

    @BeforeAll
    static void read() throws IOException {
        try (InputStream in = UnicodeTest.class.getResourceAsStream("unicode.txt")) {
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
            text.lines()
                    .forEach(line -> {
                        int blank = line.indexOf(' ');
                        EXPECTED.put(line.substring(0, blank), line.substring(blank + 1));
                    });
        }
    }

    @Test
    void classesAreTheReferenceLibrarys() {
        check("whitespace", Unicode::isWhiteSpace);
        check("punctuation", Unicode::isPunctuation);
        check("number", Unicode::isNumeric);
        check("dirt", BertRule::isDirt);
        check("nonspacing", Unicode::isNonspacingMark);
        check("combining", Unicode::isCombiningMark);
        check("word", Unicode::isWordCharacter);
    }

    @Test
    void normalizersMakeOfTwoPlanesWhatTheReferenceLibraryMakes() {
        checkCrcs("crc-", 0x20000);
    }

    @Test
    void scriptsOfTwoPlanesAreTheReferenceLibrarys() {
        checkScripts("crc-scripts", 0x20000);
    }

    @Test
    @Tag("long")
    void scriptsAreTheReferenceLibrarys() {
        checkScripts("crc-all-scripts", Character.MAX_CODE_POINT + 1);
    }

    @Test
    @Tag("long")
    void normalizersMakeOfEachCodePointWhatTheReferenceLibraryMakes() {
        checkCrcs("crc-all-", Character.MAX_CODE_POINT + 1);
    }

    private static void checkCrcs(String kind, int end) {
        BertRule bert = new BertRule(true, true, true, true);
        checkCrc(kind + "bert", end, new CodePointNormalizer(bert));
        checkCrc(kind + "nmt", end, new CodePointNormalizer(new NmtRule()));
        checkCrc(kind + "lowercase", end, CodePointNormalizer.lowercase());
        for (Form form : Form.values()) {
            checkCrc(kind + form.name().toLowerCase(Locale.ROOT), end, new NormalForm(form));
        }
    }

    private static void check(String name, IntPredicate kind) {
        StringBuilder ranges = new StringBuilder();
        int first = -1;
        for (int c = 0; c <= Character.MAX_CODE_POINT + 1; c++) {
            boolean isSurrogate = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
            if (isSurrogate) {
                continue;
            }
            boolean is = c <= Character.MAX_CODE_POINT && kind.test(c);
            if (is && first < 0) {
                first = c;
            } else if (!is && first >= 0) {
                int last = c == Character.MAX_SURROGATE + 1 ? Character.MIN_SURROGATE - 1 : c - 1;
                String range = first == last ? "%x" : "%x-%x";
                ranges.append(ranges.isEmpty() ? "" : " ").append(range.formatted(first, last));
                first = -1;
            }
        }
        assertEquals(EXPECTED.get(name), ranges.toString(), name);
    }

    private static void checkCrc(String name, int end, Normalizer normalizer) {
        Text text = new Text();
        Text spare = new Text();
        checkCrc(
                name,
                end,
                c -> {
                    text.load("!" + c + "!", true);
                    normalizer.apply(text, spare);
                    return text.string(0, text.length);
                });
    }

    /** Each code point after one of Latin, Common, Han and Inherited, and before the next. */
    private static void checkScripts(String name, int end) {
        Text text = new Text();
        Pieces pieces = new Pieces();
        checkCrc(
                name,
                end,
                c -> {
                    text.load("a" + c + "." + c + "\u6f22" + c + "\u0300" + c, false);
                    pieces.reset(text, 0, text.length);
                    new Scripts().apply(pieces);
                    return IntStream.range(0, pieces.count())
                            .mapToObj(i -> text.string(pieces.from(i), pieces.to(i)))
                            .collect(Collectors.joining("|"));
                });
    }

    private static void checkCrc(String name, int end, UnaryOperator<String> result) {
        CRC32 crc = new CRC32();
        for (int c = 0; c < end; c++) {
            if (c == Character.MIN_SURROGATE) {
                c = Character.MAX_SURROGATE + 1;
            }
            crc.update(result.apply(Character.toString(c)).getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(EXPECTED.get(name), "%08x".formatted(crc.getValue()), name);
    }
}

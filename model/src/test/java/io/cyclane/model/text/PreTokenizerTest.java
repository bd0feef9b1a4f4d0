package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Cuts that the unit tests of Hugging Face's tokenizers state, and what follows from their code.
 */
class PreTokenizerTest {
    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "どこで生れ。Yes,どこで生れ|。|Yes",
                "Apples are りんご 林檎,Apples are |りんご 林檎",
                "京太いグー,京太いグー",
                "aA0$@-,aA|0$@-",
                // A blank in front goes, and so does a text of nothing else.
                "  Yes ,Yes ",
                "   ,''",
                // Emoji of 2016 are of a script, those of 2017 of any.
                "a\uD83D\uDE00b,a|\uD83D\uDE00|b",
                "a\uD83E\uDD29b,a\uD83E\uDD29b",
                "\uD83E\uDD29,''",
                "a\u0300b,a|\u0300|b",
                "a\u00a0b,a|\u00a0|b",
            })
    void scriptsAreCutApart(String text, String pieces) {
        assertEquals(pieces, cut(new Scripts(), text));
    }

    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "5,Hello world,Hello| worl|d",
                "5,Short,Short",
                "5,'',''",
                "3,Hello world,Hel|lo |wor|ld",
                "3,Hello \uD83D\uDC4B world,Hel|lo |\uD83D\uDC4B w|orl|d",
                "1,a\uD83D\uDC4Bb,a|\uD83D\uDC4B|b",
            })
    void fixedLengthsCountCodePoints(int length, String text, String pieces) {
        assertEquals(pieces, cut(new PreTokenizer.FixedLength(length), text));
    }

    private static String cut(PreTokenizer preTokenizer, String source) {
        Text text = new Text();
        text.load(source, false);
        Pieces pieces = new Pieces();
        pieces.reset(text, 0, text.length);
        preTokenizer.apply(pieces);
        return IntStream.range(0, pieces.count())
                .mapToObj(i -> text.string(pieces.from(i), pieces.to(i)))
                .collect(Collectors.joining("|"));
    }
}

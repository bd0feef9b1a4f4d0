package io.cyclane.model.text;

import java.util.stream.IntStream;

/**
 * What BERT does to a text: controls out, white space to blanks, blanks around Chinese ideographs,
 * accents off, lower case, each of them optional.
 *
 * <p>All of it looks at one code point at a time, so a {@link CodePointNormalizer} does it in one
 * pass.
 */
record BertRule(boolean cleanText, boolean splitChinese, boolean stripAccents, boolean lowercase)
        implements CodePointNormalizer.Rule {
    @Override
    public int[] apply(int codePoint) {
        IntStream result = IntStream.of(codePoint);
        if (cleanText) {
            result = result.filter(c -> !isDirt(c)).map(c -> Unicode.isWhiteSpace(c) ? ' ' : c);
        }
        if (splitChinese) {
            result = result.flatMap(BertRule::apart);
        }
        if (stripAccents) {
            result =
                    result.flatMap(c -> IntStream.of(Unicode.decompose(c)))
                            .filter(c -> !Unicode.isNonspacingMark(c));
        }
        if (lowercase) {
            result = result.flatMap(c -> IntStream.of(Unicode.lowercase(c)));
        }
        return result.toArray();
    }

    /** {@return whether cleaning takes the code point away}. */
    static boolean isDirt(int c) {
        return switch (c) {
            case '\t', '\n', '\r' -> false;
            case 0, Unicode.REPLACEMENT -> true;
            default -> Unicode.isControl(c);
        };
    }

    private static IntStream apart(int c) {
        return Unicode.isChinese(c) ? IntStream.of(' ', c, ' ') : IntStream.of(c);
    }
}

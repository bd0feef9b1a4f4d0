package io.cyclane.model.text;

/**
 * What translation models of SentencePiece do to a text before anything else: most controls of
 * ASCII out, line ends, tabs and characters without width to blanks. Other white space, and the
 * controls U+0000 and U+0080 to U+009E but U+008F, stay. Source: {@code normalizers/unicode.rs} of
 * Hugging Face's tokenizers.
 */
record NmtRule() implements CodePointNormalizer.Rule {
    @Override
    public int[] apply(int codePoint) {
        return switch (codePoint) {
            case 0xB, 0x7F, 0x8F, 0x9F -> new int[0];
            case '\t', '\n', '\f', '\r' -> blank();
            case 0x1680, 0x2028, 0x2029, 0x2581, 0xFEFF, Unicode.REPLACEMENT -> blank();
            default -> {
                if (codePoint >= 1 && codePoint < ' ') {
                    yield new int[0];
                }
                boolean isWidthless = codePoint >= 0x200B && codePoint <= 0x200F;
                yield isWidthless ? blank() : new int[] {codePoint};
            }
        };
    }

    private static int[] blank() {
        return new int[] {' '};
    }
}

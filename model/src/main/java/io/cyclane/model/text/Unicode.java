package io.cyclane.model.text;

import java.text.Normalizer;

/**
 * Classes of code points as the tokenizers library of Hugging Face (0.23) sees them, which is not
 * always as the JDK does.
 *
 * <p>That library classifies by tables of Unicode 8 for punctuation, marks and controls, by Unicode
 * 9 for decompositions, and by the current standard for white space, case and regular expressions.
 * A JDK 25 knows Unicode 16. The range lists below are the differences, found by asking both about
 * every code point.
 */
final class Unicode {
    static final char REPLACEMENT = '\uFFFD';

    /** Format characters that Unicode 8 does not know. */
    private static final CodePoints LATE_CONTROLS =
            CodePoints.parse("890-891 8e2 110cd 13430-1343f");

    /** Punctuation to one of Unicode 8 and Unicode 16, but not to both. */
    private static final CodePoints CHANGED_PUNCTUATION =
            CodePoints.parse(
                    "61d 9fd a76 c77 c84 166d 1b4e-1b4f 1b7d-1b7f 2e43-2e4f 2e52-2e5d "
                            + "10d6e 10ead 10f55-10f59 10f86-10f89 111c9 113d4-113d5 113d7-113d8 "
                            + "1144b-1144f 1145a-1145b 1145d 11660-1166c 116b9 1183b 11944-11946 "
                            + "119e2 11a3f-11a46 11a9a-11a9c 11a9e-11aa2 11b00-11b09 11be1 "
                            + "11c41-11c45 11c70-11c71 11ef7-11ef8 11f43-11f4f 11fff 12ff1-12ff2 "
                            + "16d6d-16d6f 16e97-16e9a 16fe2 1e5ff 1e95e-1e95f");

    /** Non-spacing marks that Unicode 8 does not know. */
    private static final CodePoints LATE_NONSPACING_MARKS =
            CodePoints.parse(
                    "7fd 897-89f 8ca-8e1 9fe afa-aff b55 c04 c3c d00 d3b-d3c d81 eba "
                            + "ece 180f 1885-1886 1abf-1ace 1df6-1dfb a82c a8c5 a8ff a9bd "
                            + "10d24-10d27 10d69-10d6d 10eab-10eac 10efc-10eff 10f46-10f50 "
                            + "10f82-10f85 11070 11073-11074 110c2 111c9 111cf 1123e 11241 1133b "
                            + "113bb-113c0 113ce 113d0 113d2 113e1-113e2 11438-1143f 11442-11444 "
                            + "11446 1145e 1182f-11837 11839-1183a 1193b-1193c 1193e 11943 "
                            + "119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38 11a3b-11a3e "
                            + "11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11c30-11c36 "
                            + "11c38-11c3d 11c3f 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 "
                            + "11d31-11d36 11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d90-11d91 11d95 "
                            + "11d97 11ef3-11ef4 11f00-11f01 11f36-11f3a 11f40 11f42 11f5a 13440 "
                            + "13447-13455 1611e-16129 1612d-1612f 16f4f 16fe4 1cf00-1cf2d "
                            + "1cf30-1cf46 1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 "
                            + "1e026-1e02a 1e08f 1e130-1e136 1e2ae 1e2ec-1e2ef 1e4ec-1e4ef "
                            + "1e5ee-1e5ef 1e944-1e94a");

    /** Code points with a canonical or compatibility decomposition that Unicode 9 does not know. */
    private static final CodePoints LATE_DECOMPOSITIONS =
            CodePoints.parse(
                    "32ff a7f2-a7f4 ab69 105c9 105e4 10781-10785 10787-107b0 "
                            + "107b2-107ba 11383 11385 1138e 11391 113c5 113c7-113c8 11938 "
                            + "16121-16128 16d68-16d6a 1ccd6-1ccf9 1e030-1e06d 1f16c 1fbf0-1fbf9");

    /** Combining marks to one of Unicode 9 and Unicode 16, but not to both. */
    private static final CodePoints CHANGED_COMBINING_MARKS =
            CodePoints.parse(
                    "7fd 897-89f 8ca-8d3 9fe afa-aff b55 c04 c3c cf3 d00 d3b-d3c d81 "
                            + "eba ece 1715 180f 1abf-1ace 1cf2-1cf3 1cf7 1df6-1dfa a82c a8ff "
                            + "10d24-10d27 10d69-10d6d 10eab-10eac 10efc-10eff 10f46-10f50 "
                            + "10f82-10f85 11070 11073-11074 110c2 11145-11146 111c9 111ce-111cf "
                            + "11241 1133b 113b8-113c0 113c2 113c5 113c7-113ca 113cc-113d0 113d2 "
                            + "113e1-113e2 1145e 1182c-1183a 11930-11935 11937-11938 1193b-1193e "
                            + "11940 11942-11943 119d1-119d7 119da-119e0 119e4 11a01-11a0a "
                            + "11a33-11a39 11a3b-11a3e 11a47 11a51-11a5b 11a8a-11a99 11d31-11d36 "
                            + "11d3a 11d3c-11d3d 11d3f-11d45 11d47 11d8a-11d8e 11d90-11d91 "
                            + "11d93-11d97 11ef3-11ef6 11f00-11f01 11f03 11f34-11f3a 11f3e-11f42 "
                            + "11f5a 13440 13447-13455 1611e-1612f 16f4f 16f7f-16f87 16fe4 "
                            + "16ff0-16ff1 1cf00-1cf2d 1cf30-1cf46 1e08f 1e130-1e136 1e2ae "
                            + "1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef");

    private Unicode() {}

    /** {@return whether the code point has the property White_Space}. */
    static boolean isWhiteSpace(int c) {
        if (c < 0x80) {
            return c == ' ' || (c >= '\t' && c <= '\r');
        }
        return switch (c) {
            case 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 -> true;
            default -> c >= 0x2000 && c <= 0x200A;
        };
    }

    /** {@return whether the code point is a control, a format or a private-use character}. */
    static boolean isControl(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.PRIVATE_USE -> true;
            case Character.FORMAT -> !LATE_CONTROLS.contains(c);
            default -> false;
        };
    }

    /** {@return whether the code point is ASCII punctuation or of a category P}. */
    static boolean isPunctuation(int c) {
        if (c < 0x80) {
            return c > ' ' && c < 0x7F && !isAsciiLetterOrDigit(c);
        }
        boolean now =
                switch (Character.getType(c)) {
                    case Character.CONNECTOR_PUNCTUATION,
                            Character.DASH_PUNCTUATION,
                            Character.START_PUNCTUATION,
                            Character.END_PUNCTUATION,
                            Character.INITIAL_QUOTE_PUNCTUATION,
                            Character.FINAL_QUOTE_PUNCTUATION,
                            Character.OTHER_PUNCTUATION ->
                            true;
                    default -> false;
                };
        return now != CHANGED_PUNCTUATION.contains(c);
    }

    /** {@return whether the code point is of category Mn}. */
    static boolean isNonspacingMark(int c) {
        return Character.getType(c) == Character.NON_SPACING_MARK
                ? !LATE_NONSPACING_MARKS.contains(c)
                : c == 0x1734 || c == 0x1171E; // Spacing marks since Unicode 14.
    }

    /** {@return whether the code point is of a category M}, as normal forms see it. */
    static boolean isCombiningMark(int c) {
        if (c < 0x300) {
            return false;
        }
        boolean now =
                switch (Character.getType(c)) {
                    case Character.NON_SPACING_MARK,
                            Character.ENCLOSING_MARK,
                            Character.COMBINING_SPACING_MARK ->
                            true;
                    default -> false;
                };
        return now != CHANGED_COMBINING_MARKS.contains(c);
    }

    /** {@return whether the code point decomposes in Unicode 16 but not in Unicode 9}. */
    static boolean isLateDecomposition(int c) {
        return c >= 0x32FF && LATE_DECOMPOSITIONS.contains(c);
    }

    /** {@return whether the code point is a number of any kind} to Unicode 17. */
    static boolean isNumeric(int c) {
        return isNumber(c) || (c >= 0x11DE0 && c <= 0x11DE9) || (c >= 0x16FF4 && c <= 0x16FF6);
    }

    /** {@return whether the code point is of a category N}, as regular expressions see it. */
    static boolean isNumber(int c) {
        return switch (Character.getType(c)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
                    true;
            default -> false;
        };
    }

    /** {@return whether regular expressions count the code point to words}. */
    static boolean isWordCharacter(int c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK,
                    Character.COMBINING_SPACING_MARK,
                    Character.DECIMAL_DIGIT_NUMBER,
                    Character.CONNECTOR_PUNCTUATION ->
                    true;
            default -> Character.isAlphabetic(c) || c == 0x200C || c == 0x200D;
        };
    }

    /** {@return whether the code point lies in a block of Chinese ideographs}. */
    static boolean isChinese(int c) {
        return c >= 0x3400
                && ((c >= 0x4E00 && c <= 0x9FFF)
                        || c <= 0x4DBF
                        || (c >= 0xF900 && c <= 0xFAFF)
                        || (c >= 0x20000 && c <= 0x2A6DF)
                        || (c >= 0x2A700 && c <= 0x2B81F)
                        || (c >= 0x2B920 && c <= 0x2CEAF)
                        || (c >= 0x2F800 && c <= 0x2FA1F));
    }

    /** {@return the lower-case form of the code point}, in any context and language. */
    static int[] lowercase(int c) {
        return switch (c) {
            case 0x130 -> new int[] {'i', 0x307};
            // Pairs of Unicode 17.
            case 0xA7CE, 0xA7D2, 0xA7D4 -> new int[] {c + 1};
            default -> new int[] {c >= 0x16EA0 && c <= 0x16EB8 ? c + 27 : Character.toLowerCase(c)};
        };
    }

    /** {@return the canonical decomposition of the code point}, down to the end. */
    static int[] decompose(int c) {
        return isLateDecomposition(c)
                ? new int[] {c}
                : Normalizer.normalize(Character.toString(c), Normalizer.Form.NFD)
                        .codePoints()
                        .toArray();
    }

    private static boolean isAsciiLetterOrDigit(int c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
}

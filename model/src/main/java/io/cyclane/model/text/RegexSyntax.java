package io.cyclane.model.text;

/**
 * Puts a regular expression as tokenizer files have it, in the Ruby syntax of Oniguruma, into the
 * JDK's words.
 *
 * <p>Compiled with {@code UNICODE_CHARACTER_CLASS}, {@code MULTILINE} and {@code UNIX_LINES} most
 * of the two is alike. {@code \w} is not: there it has six Latin-1 fractions and superscripts and
 * lacks the two join controls. Escapes that mean something else here (there {@code \h} is a
 * hexadecimal digit, here a blank) are refused.
 */
final class RegexSyntax {
    private static final String DIFFERENT = "hHRXyYKgkGZ";
    private static final String WORD =
            "[\\w\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}&&[^\\x{200C}\\x{200D}]]";
    private static final String NOT_WORD =
            "[[\\W\\x{200C}\\x{200D}]&&[^\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}]]";

    private RegexSyntax() {}

    /**
     * {@return the expression for {@link java.util.regex.Pattern}}.
     *
     * @throws TokenizerException if it has an escape that means something else there
     */
    static String toJava(String place, String expression) {
        StringBuilder java = new StringBuilder(expression.length());
        for (int i = 0; i < expression.length(); i++) {
            char c = expression.charAt(i);
            if (c != '\\' || i + 1 == expression.length()) {
                java.append(c);
                continue;
            }
            char escaped = expression.charAt(++i);
            if (DIFFERENT.indexOf(escaped) >= 0) {
                throw new TokenizerException(
                        "%s: '\\%c' in the expression '%s' is not supported"
                                .formatted(place, escaped, expression));
            }
            switch (escaped) {
                case 'w' -> java.append(WORD);
                case 'W' -> java.append(NOT_WORD);
                default -> java.append(c).append(escaped);
            }
        }
        return java.toString();
    }
}

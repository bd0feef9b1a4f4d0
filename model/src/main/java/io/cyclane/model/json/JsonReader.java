package io.cyclane.model.json;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A JSON document in UTF-8, token by token, as RFC 8259 has it and nothing beyond: no comments, no
 * NaN, no comma too many, no byte that is not UTF-8, no half of a surrogate pair. A byte order mark
 * is passed over. Whether a name stands in an object twice is for the caller to see, who keeps the
 * names: {@link #duplicate} is the error. One thread's.
 *
 * <p>A reader of our own, because a process waits for it: a vocabulary of 30,000 words is read by
 * code that has not been compiled yet, and the fewer methods there are, the sooner it is; and a
 * general parser brings the big numbers of the JDK with it, 20 ms that no file of ours ever needs.
 */
public final class JsonReader {
    /** What the reader stands on. */
    public enum Token {
        START_OBJECT,
        END_OBJECT,
        START_ARRAY,
        END_ARRAY,
        /** The name of a member, whose value is next. */
        NAME,
        STRING,
        /** A number without fraction and exponent. */
        INTEGER,
        /** Any other number. */
        FLOAT,
        TRUE,
        FALSE,
        NULL,
        /** The end of the document. */
        END
    }

    private static final int MOST_DIGITS = 1000;

    /** So many digits fit a long, whatever they are. */
    private static final int SAFE_DIGITS = 18;

    private final byte[] bytes;
    private final boolean[] isObject;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private int depth;
    private int at;
    private @Nullable Token token;
    private String text = "";
    private int numberFrom;

    /**
     * A reader that stands before the document.
     *
     * @param mostDepth how many arrays and objects may lie in each other
     */
    public JsonReader(byte[] utf8, int mostDepth) {
        bytes = utf8;
        isObject = new boolean[mostDepth];
        boolean hasMark =
                utf8.length >= 3
                        && utf8[0] == (byte) 0xEF
                        && utf8[1] == (byte) 0xBB
                        && utf8[2] == (byte) 0xBF;
        at = hasMark ? 3 : 0;
    }

    /**
     * Goes on to the next token; {@return what it is}
     *
     * @throws JsonException when there is none but the document is not at its end, or the document
     *     is at its end and something follows
     */
    public Token next() {
        skipBlanks();
        if (token == null && at == bytes.length) {
            throw fault("it is empty", at);
        }
        token = token == null || token == Token.NAME ? value() : depth == 0 ? end() : inside();
        return token;
    }

    /** {@return what the last {@link #next} returned} */
    public Token token() {
        if (token == null) {
            throw new IllegalStateException("the reader stands before the document");
        }
        return token;
    }

    /** {@return the name or string that the reader stands on} */
    public String text() {
        return text;
    }

    /** {@return whether the integer that the reader stands on is one of 64 bits} */
    public boolean isLong() {
        if (at - numberFrom <= SAFE_DIGITS) {
            return true;
        }
        try {
            Long.parseLong(number());
            return true;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /**
     * {@return the integer that the reader stands on}
     *
     * @throws JsonException when it does not fit
     */
    public long longValue() {
        if (at - numberFrom > SAFE_DIGITS) {
            if (!isLong()) {
                throw fault("a number that does not fit 64 bits", numberFrom);
            }
            return Long.parseLong(number());
        }
        boolean negative = bytes[numberFrom] == '-';
        long value = 0;
        for (int i = negative ? numberFrom + 1 : numberFrom; i < at; i++) {
            value = 10 * value + bytes[i] - '0';
        }
        return negative ? -value : value;
    }

    /** {@return the number that the reader stands on, the nearest double to it} */
    public double doubleValue() {
        return Double.parseDouble(number());
    }

    /** Goes on to the end of the object or array at whose start the reader stands, if it is one. */
    public void skip() {
        int outside = depth - 1;
        if (token == Token.START_OBJECT || token == Token.START_ARRAY) {
            while (depth > outside) {
                next();
            }
        }
    }

    /** {@return the error for a name that stands in an object twice, the last name read} */
    public JsonException duplicate(String name) {
        return fault("duplicate name '" + name + "'", at);
    }

    private Token end() {
        if (at < bytes.length) {
            throw fault("something follows the document", at);
        }
        return Token.END;
    }

    /** What comes next in an object or array. */
    private Token inside() {
        boolean object = isObject[depth - 1];
        if (peek() == (object ? '}' : ']')) {
            at++;
            depth--;
            return object ? Token.END_OBJECT : Token.END_ARRAY;
        }
        if (token != Token.START_OBJECT && token != Token.START_ARRAY) {
            expect(',');
            skipBlanks();
        }
        return object ? name() : value();
    }

    private Token name() {
        expect('"');
        string();
        skipBlanks();
        expect(':');
        return Token.NAME;
    }

    private Token value() {
        byte first = peek();
        switch (first) {
            case '{' -> {
                return enter(Token.START_OBJECT);
            }
            case '[' -> {
                return enter(Token.START_ARRAY);
            }
            case '"' -> {
                at++;
                string();
                return Token.STRING;
            }
            case 't' -> {
                return literal("true", Token.TRUE);
            }
            case 'f' -> {
                return literal("false", Token.FALSE);
            }
            case 'n' -> {
                return literal("null", Token.NULL);
            }
            default -> {
                if (first == '-' || isDigit(first)) {
                    return numeral();
                }
                throw fault("no value", at);
            }
        }
    }

    private Token enter(Token start) {
        if (depth == isObject.length) {
            throw fault("more than " + depth + " arrays and objects in each other", at);
        }
        isObject[depth++] = start == Token.START_OBJECT;
        at++;
        return start;
    }

    private Token literal(String word, Token meaning) {
        for (int i = 0; i < word.length(); i++) {
            expect(word.charAt(i));
        }
        return meaning;
    }

    private Token numeral() {
        numberFrom = at;
        if (bytes[at] == '-') {
            at++;
        }
        boolean isZero = peek() == '0';
        int first = at;
        digits();
        if (isZero && at > first + 1) {
            throw fault("a number with a leading zero", first);
        }
        Token kind = Token.INTEGER;
        if (at < bytes.length && bytes[at] == '.') {
            at++;
            digits();
            kind = Token.FLOAT;
        }
        if (at < bytes.length && (bytes[at] == 'e' || bytes[at] == 'E')) {
            at++;
            if (peek() == '-' || peek() == '+') {
                at++;
            }
            digits();
            kind = Token.FLOAT;
        }
        if (at - numberFrom > MOST_DIGITS) {
            throw fault("a number of more than " + MOST_DIGITS + " digits", numberFrom);
        }
        return kind;
    }

    /** One digit or more. */
    private void digits() {
        if (!isDigit(peek())) {
            throw fault("no digit", at);
        }
        while (at < bytes.length && isDigit(bytes[at])) {
            at++;
        }
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private String number() {
        return new String(bytes, numberFrom, at - numberFrom, StandardCharsets.ISO_8859_1);
    }

    /** Reads a string whose opening quote has been read. */
    private void string() {
        int from = at;
        int all = plain();
        text = decoded(from, all);
        if (bytes[at] == '\\') {
            StringBuilder whole = new StringBuilder(text);
            while (bytes[at] == '\\') {
                whole.append(escape());
                int next = at;
                whole.append(decoded(next, plain()));
            }
            text = whole.toString();
            requirePairs(from);
        }
        at++;
    }

    /** Passes over characters up to a quote or escape; {@return all of their bits} */
    private int plain() {
        int all = 0;
        while (at < bytes.length) {
            byte b = bytes[at];
            if (b == '"' || b == '\\') {
                return all;
            }
            if (b >= 0 && b < ' ') {
                throw fault("a control character in a string", at);
            }
            all |= b;
            at++;
        }
        throw fault("a string without end", at);
    }

    private String decoded(int from, int all) {
        if (all >= 0) {
            return new String(bytes, from, at - from, StandardCharsets.ISO_8859_1);
        }
        try {
            return decoder.decode(ByteBuffer.wrap(bytes, from, at - from)).toString();
        } catch (CharacterCodingException e) {
            throw fault("not UTF-8, in the string", from);
        }
    }

    private char escape() {
        at++;
        byte kind = peek();
        at++;
        return switch (kind) {
            case '"', '\\', '/' -> (char) kind;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> hexadecimal();
            default -> throw fault("an unknown escape", at - 1);
        };
    }

    private char hexadecimal() {
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(peek(), 16);
            if (digit < 0) {
                throw fault("no hexadecimal digit", at);
            }
            code = code << 4 | digit;
            at++;
        }
        return (char) code;
    }

    /** Only escapes can spell half of a pair: in UTF-8 it is no character. */
    private void requirePairs(int from) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                boolean isPair =
                        Character.isHighSurrogate(c)
                                && i + 1 < text.length()
                                && Character.isLowSurrogate(text.charAt(i + 1));
                if (!isPair) {
                    throw fault("half a surrogate pair in the string", from);
                }
                i++;
            }
        }
    }

    private void skipBlanks() {
        while (at < bytes.length) {
            byte b = bytes[at];
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return;
            }
            at++;
        }
    }

    private byte peek() {
        if (at == bytes.length) {
            throw fault("the document breaks off", at);
        }
        return bytes[at];
    }

    private void expect(char wanted) {
        if (peek() != wanted) {
            throw fault("'" + wanted + "' is missing", at);
        }
        at++;
    }

    private static JsonException fault(String what, int at) {
        return new JsonException(what, at);
    }
}

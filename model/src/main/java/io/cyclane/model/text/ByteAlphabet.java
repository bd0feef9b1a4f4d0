package io.cyclane.model.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A printable character for each byte, as GPT-2's vocabularies write them: printable Latin-1 stands
 * for itself, the other 68 bytes for U+0100 and on.
 */
final class ByteAlphabet {
    static final char SPACE = '\u0120';

    private static final int BYTES = 256;

    private static final char[] CHARS = new char[BYTES];

    /** The byte of each character, or -1. */
    private static final short[] VALUES = new short[2 * BYTES];

    static {
        Arrays.fill(VALUES, (short) -1);
        char next = BYTES;
        for (int value = 0; value < BYTES; value++) {
            boolean isPrintable = (value > ' ' && value < 0x7F) || (value > 0xA0 && value != 0xAD);
            CHARS[value] = isPrintable ? (char) value : next++;
            VALUES[CHARS[value]] = (short) value;
        }
    }

    private ByteAlphabet() {}

    /** {@return the character that stands for a byte}. */
    static char spell(byte value) {
        return CHARS[value & 0xFF];
    }

    /** {@return the byte that a character stands for}, or -1. */
    static int value(char c) {
        return c < VALUES.length ? VALUES[c] : -1;
    }

    /** {@return the characters that stand for the UTF-8 form of a code point}. */
    static int[] spell(int codePoint) {
        byte[] bytes = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
        int[] spelled = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            spelled[i] = spell(bytes[i]);
        }
        return spelled;
    }

    /** Appends the characters that stand for the UTF-8 form of {@code text[from .. to)}. */
    static void spell(Text text, int from, int to, Text out) {
        char[] chars = text.chars;
        for (int i = from; i < to; i++) {
            int c = chars[i];
            int origin = text.origin(i);
            if (c < 0x80) {
                out.add(CHARS[c], origin);
            } else if (c < 0x800) {
                out.add(CHARS[0xC0 | c >> 6], origin);
                out.add(CHARS[0x80 | c & 0x3F], origin);
            } else if (!Character.isHighSurrogate((char) c)) {
                out.add(CHARS[0xE0 | c >> 12], origin);
                out.add(CHARS[0x80 | c >> 6 & 0x3F], origin);
                out.add(CHARS[0x80 | c & 0x3F], origin);
            } else {
                int codePoint = text.codePointAt(i++);
                out.add(CHARS[0xF0 | codePoint >> 18], origin);
                out.add(CHARS[0x80 | codePoint >> 12 & 0x3F], origin);
                out.add(CHARS[0x80 | codePoint >> 6 & 0x3F], origin);
                out.add(CHARS[0x80 | codePoint & 0x3F], origin);
            }
        }
    }
}

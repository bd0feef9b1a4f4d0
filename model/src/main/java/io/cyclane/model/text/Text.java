package io.cyclane.model.text;

import java.util.Arrays;

/**
 * A growing run of UTF-16 that normalizers rewrite, and where each of its characters came from.
 *
 * <p>The origin of a character is the index in the source text of the code point it stands for, or
 * {@code ~index} if it stands for nothing there (a prefix put before that index). Two halves of a
 * surrogate pair share one origin. Origins are kept only if {@link #clear} asked for them: a caller
 * who wants ids alone does not pay for them.
 */
final class Text {
    private static final int FIRST_CAPACITY = 512;

    char[] chars = new char[FIRST_CAPACITY];
    int[] origins = new int[0];
    int length;
    private boolean aligned;

    /** Empties the text; {@code aligned} says whether origins will be kept. */
    void clear(boolean aligned) {
        length = 0;
        this.aligned = aligned;
        if (aligned && origins.length < chars.length) {
            origins = new int[chars.length];
        }
    }

    boolean isAligned() {
        return aligned;
    }

    /** {@return the origin of the character at {@code i}}, or 0 where origins are not kept. */
    int origin(int i) {
        return aligned ? origins[i] : 0;
    }

    void add(char c, int origin) {
        if (length == chars.length) {
            ensure(1);
        }
        chars[length] = c;
        if (aligned) {
            origins[length] = origin;
        }
        length++;
    }

    void addCodePoint(int codePoint, int origin) {
        if (codePoint < Character.MIN_SUPPLEMENTARY_CODE_POINT) {
            add((char) codePoint, origin);
        } else {
            add(Character.highSurrogate(codePoint), origin);
            add(Character.lowSurrogate(codePoint), origin);
        }
    }

    void add(String s, int origin) {
        for (int i = 0; i < s.length(); i++) {
            add(s.charAt(i), origin);
        }
    }

    /** Appends characters {@code from} to {@code to} of another text, with their origins. */
    void add(Text other, int from, int to) {
        int n = to - from;
        ensure(n);
        System.arraycopy(other.chars, from, chars, length, n);
        if (aligned) {
            System.arraycopy(other.origins, from, origins, length, n);
        }
        length += n;
    }

    /** Fills the text with a source text; a surrogate without its partner becomes U+FFFD. */
    void load(CharSequence source, boolean aligned) {
        clear(aligned);
        int n = source.length();
        ensure(n);
        source.getChars(0, n, chars, 0);
        length = n;
        boolean surrogates = false;
        for (int i = 0; i < n; i++) {
            surrogates |= Character.isSurrogate(chars[i]);
        }
        if (surrogates) {
            replaceLoneSurrogates();
        }
        if (aligned) {
            for (int i = 0; i < n; i++) {
                origins[i] = i > 0 && isPair(i - 1) ? i - 1 : i;
            }
        }
    }

    int codePointAt(int i) {
        char c = chars[i];
        return Character.isHighSurrogate(c) ? Character.toCodePoint(c, chars[i + 1]) : c;
    }

    int codePointBefore(int i) {
        char c = chars[i - 1];
        return Character.isLowSurrogate(c) ? Character.toCodePoint(chars[i - 2], c) : c;
    }

    String string(int from, int to) {
        return new String(chars, from, to - from);
    }

    /** Exchanges the contents of two texts. */
    void swap(Text other) {
        char[] otherChars = other.chars;
        int[] otherOrigins = other.origins;
        int otherLength = other.length;
        boolean otherAligned = other.aligned;
        other.chars = chars;
        other.origins = origins;
        other.length = length;
        other.aligned = aligned;
        chars = otherChars;
        origins = otherOrigins;
        length = otherLength;
        aligned = otherAligned;
    }

    private void replaceLoneSurrogates() {
        for (int i = 0; i < length; i++) {
            if (Character.isSurrogate(chars[i])) {
                if (isPair(i)) {
                    i++;
                } else {
                    chars[i] = Unicode.REPLACEMENT;
                }
            }
        }
    }

    private boolean isPair(int i) {
        return i + 1 < length
                && Character.isHighSurrogate(chars[i])
                && Character.isLowSurrogate(chars[i + 1]);
    }

    private void ensure(int more) {
        long needed = (long) length + more;
        if (needed > chars.length) {
            chars = Arrays.copyOf(chars, Growth.capacity(chars.length, needed));
        }
        if (aligned && origins.length < chars.length) {
            origins = Arrays.copyOf(origins, chars.length);
        }
    }
}

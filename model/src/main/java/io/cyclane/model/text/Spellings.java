package io.cyclane.model.text;

import java.util.Arrays;

/**
 * Many short strings in two arrays, 2 bytes a character and 4 a string, where a String of its own
 * takes 48 and more. Grows; not thread-safe until all are in.
 */
final class Spellings {
    private char[] chars = new char[1024];
    private int[] ends = new int[256];
    private int size;

    void add(String spelling) {
        int from = length();
        long to = (long) from + spelling.length();
        if (to > chars.length) {
            chars = Arrays.copyOf(chars, Growth.capacity(chars.length, to));
        }
        if (size == ends.length) {
            ends = Arrays.copyOf(ends, Growth.capacity(size, size + 1L));
        }
        spelling.getChars(0, spelling.length(), chars, from);
        ends[size] = (int) to;
        size++;
    }

    /** Gives back what growing left over. */
    void trim() {
        chars = Arrays.copyOf(chars, length());
        ends = Arrays.copyOf(ends, size);
    }

    /** {@return the number of strings} */
    int size() {
        return size;
    }

    /** {@return the number of characters of all strings} */
    int length() {
        return size == 0 ? 0 : ends[size - 1];
    }

    /** The characters of all strings, end to end; string i is {@code [from(i) .. to(i))}. */
    char[] chars() {
        return chars;
    }

    int from(int i) {
        return i == 0 ? 0 : ends[i - 1];
    }

    int to(int i) {
        return ends[i];
    }

    String get(int i) {
        return new String(chars, from(i), to(i) - from(i));
    }

    /** {@return whether string i is this one} */
    boolean isAt(int i, String spelling) {
        int from = from(i);
        boolean isEqual = to(i) - from == spelling.length();
        for (int at = 0; at < spelling.length() && isEqual; at++) {
            isEqual = chars[from + at] == spelling.charAt(at);
        }
        return isEqual;
    }
}

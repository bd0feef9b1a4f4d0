package io.cyclane.model.text;

import java.util.Arrays;

/** A set of code points, held as sorted ranges. Immutable. */
final class CodePoints {
    /** First and last of each range in turn. */
    private final int[] bounds;

    private CodePoints(int[] bounds) {
        this.bounds = bounds;
    }

    /**
     * {@return the set written as hexadecimal code points and ranges}, as in {@code "41-5a 61-7a
     * aa"}.
     */
    static CodePoints parse(String ranges) {
        String[] parts = ranges.split(" ");
        int[] bounds = new int[2 * parts.length];
        for (int i = 0; i < parts.length; i++) {
            int dash = parts[i].indexOf('-');
            String first = dash < 0 ? parts[i] : parts[i].substring(0, dash);
            String last = dash < 0 ? parts[i] : parts[i].substring(dash + 1);
            bounds[2 * i] = Integer.parseInt(first, 16);
            bounds[2 * i + 1] = Integer.parseInt(last, 16);
        }
        return new CodePoints(bounds);
    }

    boolean contains(int codePoint) {
        int at = Arrays.binarySearch(bounds, codePoint);
        // Not found, the place to insert is odd exactly between a first and its last.
        return at >= 0 || (~at & 1) == 1;
    }
}

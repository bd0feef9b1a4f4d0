package io.cyclane.model.text;

import java.util.Arrays;

/**
 * A rewriting of text that looks at one code point at a time, worked out a page of 256 code points
 * when the first of them comes by.
 *
 * <p>Thread-safe: a page is immutable, and two threads that race to make the same one make equal
 * pages.
 */
final class CodePointNormalizer implements Normalizer {
    /** What becomes of one code point: none, one or several others. */
    interface Rule {
        int[] apply(int codePoint);
    }

    private static final int PAGE_BITS = 8;
    private static final int PAGE_SIZE = 1 << PAGE_BITS;
    private static final int PAGES = (Character.MAX_CODE_POINT + 1) / PAGE_SIZE;

    /** The entry of a code point that goes away. Lower ones are {@code ~(index + 1)} of several. */
    private static final int NOTHING = -1;

    /**
     * The entries of a page; all fields of a record are final, so that a racy read sees a whole
     * page.
     */
    private record Page(int[] single, int[][] several) {}

    private final Rule rule;
    private final Page first;
    private final Page[] pages = new Page[PAGES];

    CodePointNormalizer(Rule rule) {
        this.rule = rule;
        this.first = page(0);
        this.pages[0] = first;
    }

    /** Lower case, in any context and language. */
    static CodePointNormalizer lowercase() {
        return new CodePointNormalizer(Unicode::lowercase);
    }

    /** Takes combining marks away. */
    static CodePointNormalizer stripAccents() {
        return new CodePointNormalizer(
                c -> Unicode.isCombiningMark(c) ? new int[0] : new int[] {c});
    }

    /** Writes each byte of the UTF-8 form as a character of {@link ByteAlphabet}. */
    static CodePointNormalizer byteLevel() {
        return new CodePointNormalizer(ByteAlphabet::spell);
    }

    /** What a code point becomes has that code point's origin. */
    @Override
    public void apply(Text text, Text spare) {
        spare.clear(text.isAligned());
        char[] chars = text.chars;
        int n = text.length;
        int[] ascii = first.single;
        for (int i = 0; i < n; i++) {
            char c = chars[i];
            if (c < PAGE_SIZE && ascii[c] >= 0) {
                spare.addCodePoint(ascii[c], text.origin(i));
            } else {
                int codePoint = text.codePointAt(i);
                put(codePoint, text.origin(i), spare);
                i += Character.charCount(codePoint) - 1;
            }
        }
        text.swap(spare);
    }

    private void put(int codePoint, int origin, Text out) {
        Page page = pages[codePoint >> PAGE_BITS];
        if (page == null) {
            page = page(codePoint >> PAGE_BITS);
            pages[codePoint >> PAGE_BITS] = page;
        }
        int entry = page.single[codePoint & (PAGE_SIZE - 1)];
        if (entry >= 0) {
            out.addCodePoint(entry, origin);
        } else if (entry != NOTHING) {
            for (int one : page.several[~entry - 1]) {
                out.addCodePoint(one, origin);
            }
        }
    }

    private Page page(int index) {
        int[] single = new int[PAGE_SIZE];
        int[][] several = new int[PAGE_SIZE][];
        int count = 0;
        for (int i = 0; i < PAGE_SIZE; i++) {
            int[] result = rule.apply((index << PAGE_BITS) + i);
            switch (result.length) {
                case 0 -> single[i] = NOTHING;
                case 1 -> single[i] = result[0];
                default -> {
                    several[count++] = result;
                    single[i] = ~count;
                }
            }
        }
        return new Page(single, Arrays.copyOf(several, count));
    }
}

package io.cyclane.model.text;

import java.text.Normalizer.Form;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * A Unicode normal form.
 *
 * <p>Text made of stable characters, those that are normal, do not combine with what precedes them
 * and do not reorder, is passed over. Only the run from the last stable character before an
 * unstable one to the next stable one is handed to {@link java.text.Normalizer}.
 *
 * <p>Origins follow the library whose files we read: the first part of a decomposition and
 * everything composed into it take the place of one character, further parts share its origin.
 */
final class NormalForm implements Normalizer {
    private static final int PAGE_BITS = 8;

    /** The first code point a form can change, or that can combine. */
    private final int firstUnstable;

    private final Form form;

    /** For each page of 256 code points, a bit for each unstable one; made when first needed. */
    private final Bits[] pages = new Bits[(Character.MAX_CODE_POINT + 1) >> PAGE_BITS];

    /** All fields of a record are final, so that a racy read sees the whole page. */
    private record Bits(long[] words) {
        boolean get(int i) {
            return (words[i >> 6] >>> i & 1) != 0;
        }
    }

    NormalForm(Form form) {
        this.form = form;
        int first = 0;
        while (!isUnstable(first)) {
            first++;
        }
        this.firstUnstable = first;
    }

    @Override
    public void apply(Text text, Text spare) {
        int firstAt = nextUnstable(text, 0);
        if (firstAt == text.length) {
            return;
        }
        spare.clear(text.isAligned());
        int done = 0;
        for (int at = firstAt; at < text.length; at = nextUnstable(text, done)) {
            int from = at > done ? beforeStable(text, at) : at;
            int to = nextStable(text, at);
            spare.add(text, done, from);
            rewrite(text, from, to, spare);
            done = to;
        }
        spare.add(text, done, text.length);
        text.swap(spare);
    }

    private int nextUnstable(Text text, int from) {
        char[] chars = text.chars;
        int n = text.length;
        for (int i = from; i < n; i++) {
            if (chars[i] >= firstUnstable) {
                int c = text.codePointAt(i);
                if (isMarkedUnstable(c)) {
                    return i;
                }
                i += Character.charCount(c) - 1;
            }
        }
        return n;
    }

    /** The stable character before an unstable one takes part, if it is one that can. */
    private static int beforeStable(Text text, int at) {
        int c = text.codePointBefore(at);
        return Unicode.isLateDecomposition(c) ? at : at - Character.charCount(c);
    }

    private int nextStable(Text text, int from) {
        int i = from;
        while (i < text.length && isMarkedUnstable(text.codePointAt(i))) {
            i += Character.charCount(text.codePointAt(i));
        }
        return i;
    }

    private void rewrite(Text text, int from, int to, Text out) {
        String source = text.string(from, to);
        int[] result = normalize(source).codePoints().toArray();
        if (!text.isAligned()) {
            for (int c : result) {
                out.addCodePoint(c, 0);
            }
            return;
        }
        int[] origins = new int[source.codePointCount(0, source.length())];
        for (int i = from, k = 0; i < to; i += Character.charCount(text.codePointAt(i))) {
            origins[k++] = text.origin(i);
        }
        int[] steps = steps(source, result);
        int taken = 0;
        for (int i = 0; i < result.length; i++) {
            boolean isInserted = steps[i] == 0;
            out.addCodePoint(result[i], origins[Math.max(0, isInserted ? taken - 1 : taken)]);
            taken += steps[i];
        }
    }

    /** {@return how many source characters each result character takes the place of}; often one. */
    private int[] steps(String source, int[] result) {
        Map<Integer, Deque<Boolean>> parts = new HashMap<>();
        source.codePoints()
                .forEach(c -> {
                    int[] decomposed = decompose(c);
                    for (int i = 0; i < decomposed.length; i++) {
                        parts.computeIfAbsent(decomposed[i], part -> new ArrayDeque<>())
                                .add(i == 0);
                    }
                });
        // Reordering is stable: the k-th of some character before it is the k-th after it.
        int[] steps = new int[result.length];
        for (int i = 0; i < result.length; i++) {
            for (int part : canonical(result[i])) {
                steps[i] += parts.get(part).remove() ? 1 : 0;
            }
        }
        return steps;
    }

    private String normalize(String s) {
        String normal = java.text.Normalizer.normalize(s, form);
        if (normal.codePoints().noneMatch(Unicode::isLateDecomposition)) {
            return normal;
        }
        StringBuilder undone = new StringBuilder();
        normal.codePoints().forEach(c -> undone.append(fullyDecomposed(c)));
        return undone.toString();
    }

    /** A character that the tables we follow do not compose is taken apart again. */
    private static String fullyDecomposed(int c) {
        String s = Character.toString(c);
        return Unicode.isLateDecomposition(c) ? java.text.Normalizer.normalize(s, Form.NFD) : s;
    }

    private int[] decompose(int c) {
        Form decomposition =
                switch (form) {
                    case NFC, NFD -> Form.NFD;
                    case NFKC, NFKD -> Form.NFKD;
                };
        return java.text.Normalizer.normalize(Character.toString(c), decomposition)
                .codePoints()
                .toArray();
    }

    private static int[] canonical(int c) {
        return java.text.Normalizer.normalize(Character.toString(c), Form.NFD)
                .codePoints()
                .toArray();
    }

    private boolean isMarkedUnstable(int c) {
        if (c < firstUnstable) {
            return false;
        }
        Bits page = pages[c >> PAGE_BITS];
        if (page == null) {
            page = page(c >> PAGE_BITS);
            pages[c >> PAGE_BITS] = page;
        }
        return page.get(c & (1 << PAGE_BITS) - 1);
    }

    private Bits page(int index) {
        long[] words = new long[(1 << PAGE_BITS) / Long.SIZE];
        for (int i = 0; i < 1 << PAGE_BITS; i++) {
            if (isUnstable((index << PAGE_BITS) + i)) {
                words[i >> 6] |= 1L << i;
            }
        }
        return new Bits(words);
    }

    private boolean isUnstable(int c) {
        if (Unicode.isLateDecomposition(c)) {
            return false;
        }
        boolean isMedialOrFinalJamo = c >= 0x1160 && c <= 0x11FF;
        return Unicode.isCombiningMark(c)
                || isMedialOrFinalJamo
                || !java.text.Normalizer.isNormalized(Character.toString(c), form);
    }
}

package io.cyclane.model;

import java.util.ArrayList;
import java.util.List;

/**
 * A stretch of text with one label.
 *
 * @param label without the mark of its first or later tokens
 * @param score the mean of its tokens'
 * @param text its characters
 * @param start where in the text they begin, in UTF-16 units
 * @param end where they end
 */
public record Entity(String label, float score, String text, int start, int end) {
    private static final String OUTSIDE = "O";
    private static final String FIRST = "B-";
    private static final String LATER = "I-";

    /**
     * {@return the entities that labels of tokens in order make up} {@code B-x} begins one, {@code
     * I-x} goes on with one of x or else begins one, {@code O} is none; labels without such marks
     * go on while they are the same. The blanks that byte-level tokens begin with are none of an
     * entity's characters at its ends, and blanks alone are no entity.
     */
    static List<Entity> of(String text, List<TokenLabel> tokens) {
        List<Entity> entities = new ArrayList<>();
        List<TokenLabel> open = new ArrayList<>();
        for (TokenLabel token : tokens) {
            boolean goesOn =
                    !open.isEmpty()
                            && !token.label().startsWith(FIRST)
                            && plain(token.label()).equals(plain(open.getFirst().label()));
            if (!goesOn) {
                close(text, open, entities);
            }
            if (!token.label().equals(OUTSIDE)) {
                open.add(token);
            }
        }
        close(text, open, entities);
        return List.copyOf(entities);
    }

    private static void close(String text, List<TokenLabel> open, List<Entity> entities) {
        if (open.isEmpty()) {
            return;
        }
        double sum = 0;
        for (TokenLabel token : open) {
            sum += token.score();
        }
        int start = open.getFirst().start();
        int end = open.getLast().end();
        while (start < end && isBlank(text.charAt(start))) {
            start++;
        }
        while (end > start && isBlank(text.charAt(end - 1))) {
            end--;
        }
        if (start < end) {
            entities.add(
                    new Entity(
                            plain(open.getFirst().label()),
                            (float) (sum / open.size()),
                            text.substring(start, end),
                            start,
                            end));
        }
        open.clear();
    }

    private static boolean isBlank(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c);
    }

    private static String plain(String label) {
        boolean isMarked = label.startsWith(FIRST) || label.startsWith(LATER);
        return isMarked ? label.substring(FIRST.length()) : label;
    }
}

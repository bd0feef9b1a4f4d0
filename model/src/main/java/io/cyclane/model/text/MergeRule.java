package io.cyclane.model.text;

import java.util.List;

/** Two pieces that a byte-pair encoding joins. */
record MergeRule(String left, String right) {
    /** {@return the rule written as two pieces with a blank between}. */
    static MergeRule parse(String place, String line) {
        int blank = line.indexOf(' ');
        if (blank < 0 || line.indexOf(' ', blank + 1) >= 0) {
            throw new TokenizerException(
                    "%s: wanted two pieces with one blank between, found '%s'"
                            .formatted(place, line));
        }
        return new MergeRule(line.substring(0, blank), line.substring(blank + 1));
    }

    /**
     * Finds the pieces of the rules in a vocabulary; the right one loses its prefix when joined.
     *
     * @throws TokenizerException if one of them is not there
     */
    static Merges compile(
            String place, List<MergeRule> rules, Vocabulary vocabulary, String prefix) {
        int[] lefts = new int[rules.size()];
        int[] rights = new int[rules.size()];
        int[] results = new int[rules.size()];
        for (int i = 0; i < lefts.length; i++) {
            MergeRule rule = rules.get(i);
            int cut = Math.min(prefix.length(), rule.right.length());
            lefts[i] = id(place, i, rule.left, vocabulary);
            rights[i] = id(place, i, rule.right, vocabulary);
            results[i] = id(place, i, rule.left + rule.right.substring(cut), vocabulary);
        }
        return new Merges(lefts, rights, results);
    }

    private static int id(String place, int i, String piece, Vocabulary vocabulary) {
        int id = vocabulary.id(piece);
        if (id == Vocabulary.NONE) {
            throw new TokenizerException(
                    "%s[%d]: '%s' is not in the vocabulary".formatted(place, i, piece));
        }
        return id;
    }
}

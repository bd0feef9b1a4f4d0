package io.cyclane.model.text;

/** The pairs of pieces that a byte-pair encoding joins, as a file spells them. Grows. */
final class MergeRules {
    private final String place;

    /** Left and right pieces in turn. */
    private final Spellings pieces = new Spellings();

    /** No rules yet of those that stand at a place. */
    MergeRules(String place) {
        this.place = place;
    }

    void add(String left, String right) {
        pieces.add(left);
        pieces.add(right);
    }

    /**
     * {@return whether a line was a rule, two pieces with one blank between, which is added then}
     */
    boolean addLine(String line) {
        int blank = line.indexOf(' ');
        boolean isRule = blank >= 0 && line.indexOf(' ', blank + 1) < 0;
        if (isRule) {
            add(line.substring(0, blank), line.substring(blank + 1));
        }
        return isRule;
    }

    /** {@return the error of a line that is no rule} */
    static TokenizerException noRule(String place, String line) {
        return new TokenizerException(
                "%s: wanted two pieces with one blank between, found '%s'"
                        .formatted(place, Json.shown(line)));
    }

    /**
     * Finds the pieces of the rules in a vocabulary; the right one loses its prefix when joined.
     *
     * @throws TokenizerException if one of them is not there
     */
    Merges compile(Vocabulary vocabulary, String prefix) {
        int count = pieces.size() / 2;
        // Nearly all merges make a piece of their own; few pieces are made by several.
        Merges.Builder merges = new Merges.Builder((int) Math.min(count, 4L * vocabulary.size()));
        char[] chars = pieces.chars();
        for (int i = 0; i < count; i++) {
            int from = pieces.from(2 * i);
            int middle = pieces.to(2 * i);
            int to = pieces.to(2 * i + 1);
            int left = vocabulary.id(chars, from, middle);
            int right = vocabulary.id(chars, middle, to);
            int cut = Math.min(prefix.length(), to - middle);
            int result = cut == 0 ? vocabulary.id(chars, from, to) : vocabulary.id(joined(i, cut));
            if (left == Vocabulary.NONE || right == Vocabulary.NONE || result == Vocabulary.NONE) {
                String missing =
                        left == Vocabulary.NONE
                                ? pieces.get(2 * i)
                                : right == Vocabulary.NONE ? pieces.get(2 * i + 1) : joined(i, cut);
                throw new TokenizerException(
                        "%s[%d]: '%s' is not in the vocabulary"
                                .formatted(place, i, Json.shown(missing)));
            }
            merges.add(left, right, result);
        }
        return merges.build();
    }

    private String joined(int i, int cut) {
        return pieces.get(2 * i) + pieces.get(2 * i + 1).substring(cut);
    }
}

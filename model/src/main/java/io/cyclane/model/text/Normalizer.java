package io.cyclane.model.text;

import java.util.List;

/** A rewriting of the text before it is cut. Immutable and thread-safe. */
sealed interface Normalizer
        permits CodePointNormalizer,
                NormalForm,
                Normalizer.Sequence,
                Normalizer.Strip,
                Normalizer.Prepend,
                Normalizer.Replace {
    /** Rewrites {@code text} in place; {@code spare} is there to be used and swapped with it. */
    void apply(Text text, Text spare);

    /** One after the other. */
    record Sequence(List<Normalizer> normalizers) implements Normalizer {
        public Sequence {
            normalizers = List.copyOf(normalizers);
        }

        @Override
        public void apply(Text text, Text spare) {
            for (int i = 0; i < normalizers.size(); i++) {
                normalizers.get(i).apply(text, spare);
            }
        }
    }

    /** White space off the ends. All white space lies in the basic plane. */
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public void apply(Text text, Text spare) {
            int from = 0;
            int to = text.length;
            while (left && from < to && Unicode.isWhiteSpace(text.chars[from])) {
                from++;
            }
            while (right && from < to && Unicode.isWhiteSpace(text.chars[to - 1])) {
                to--;
            }
            if (to - from < text.length) {
                spare.clear(text.isAligned());
                spare.add(text, from, to);
                text.swap(spare);
            }
        }
    }

    /** Something put before every text that is not empty; its origin is the first character's. */
    record Prepend(String prefix) implements Normalizer {
        @Override
        public void apply(Text text, Text spare) {
            if (text.length > 0) {
                spare.clear(text.isAligned());
                spare.add(prefix, text.origin(0));
                spare.add(text, 0, text.length);
                text.swap(spare);
            }
        }
    }

    /** Other characters for every match; their origin is that of the match's last character. */
    record Replace(TextPattern pattern, String content) implements Normalizer {
        @Override
        public void apply(Text text, Text spare) {
            spare.clear(text.isAligned());
            pattern.spans(
                    text,
                    0,
                    text.length,
                    (from, to, isMatch) -> {
                        if (isMatch) {
                            spare.add(content, to > 0 ? text.origin(to - 1) : beforeFirst(text));
                        } else {
                            spare.add(text, from, to);
                        }
                    });
            text.swap(spare);
        }

        private static int beforeFirst(Text text) {
            return text.length == 0 || text.origin(0) < 0 ? text.origin(0) : ~text.origin(0);
        }
    }
}

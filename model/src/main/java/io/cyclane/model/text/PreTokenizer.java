package io.cyclane.model.text;

import java.util.List;
import java.util.function.IntPredicate;

/**
 * A cutting of the normalized text into the pieces that a model sees. Immutable and thread-safe.
 */
sealed interface PreTokenizer
        permits BertPreTokenizer,
                ByteLevel,
                Metaspace,
                Scripts,
                Words,
                PreTokenizer.Sequence,
                PreTokenizer.Split,
                PreTokenizer.FixedLength,
                PreTokenizer.CharacterSplit {
    /** Cuts every piece further, as {@link Pieces} describes. */
    void apply(Pieces pieces);

    /** {@return whether the cuts depend on where in the source text a piece begins}. */
    default boolean readsOrigins() {
        return false;
    }

    /** One after the other. */
    record Sequence(List<PreTokenizer> steps) implements PreTokenizer {
        public Sequence {
            steps = List.copyOf(steps);
        }

        @Override
        public void apply(Pieces pieces) {
            for (int i = 0; i < steps.size(); i++) {
                steps.get(i).apply(pieces);
            }
        }

        @Override
        public boolean readsOrigins() {
            return steps.stream().anyMatch(PreTokenizer::readsOrigins);
        }
    }

    /** Cuts at the matches of a pattern, or, if {@code inverts}, at what lies between them. */
    record Split(TextPattern pattern, Behavior behavior, boolean inverts) implements PreTokenizer {
        @Override
        public void apply(Pieces pieces) {
            Cutter cutter = new Cutter(behavior, inverts, pieces);
            for (int i = 0; i < pieces.count(); i++) {
                pattern.spans(pieces.text(), pieces.from(i), pieces.to(i), cutter);
                cutter.finish();
            }
            pieces.advance();
        }
    }

    /** Cuts after every {@code length} code points, at least one. */
    record FixedLength(int length) implements PreTokenizer {
        @Override
        public void apply(Pieces pieces) {
            Text text = pieces.text();
            for (int piece = 0; piece < pieces.count(); piece++) {
                int start = pieces.from(piece);
                int to = pieces.to(piece);
                int characters = 0;
                for (int i = start; i < to; i += Character.charCount(text.codePointAt(i))) {
                    if (characters == length) {
                        pieces.add(start, i);
                        start = i;
                        characters = 0;
                    }
                    characters++;
                }
                pieces.add(start, to);
            }
            pieces.advance();
        }
    }

    /** Cuts at every code point of some kind. */
    record CharacterSplit(IntPredicate kind, Behavior behavior) implements PreTokenizer {
        @Override
        public void apply(Pieces pieces) {
            Text text = pieces.text();
            Cutter cutter = new Cutter(behavior, false, pieces);
            for (int piece = 0; piece < pieces.count(); piece++) {
                int done = pieces.from(piece);
                int to = pieces.to(piece);
                for (int i = done, width; i < to; i += width) {
                    int c = text.codePointAt(i);
                    width = Character.charCount(c);
                    if (kind.test(c)) {
                        if (done < i) {
                            cutter.accept(done, i, false);
                        }
                        done = i + width;
                        cutter.accept(i, done, true);
                    }
                }
                if (done < to) {
                    cutter.accept(done, to, false);
                }
                cutter.finish();
            }
            pieces.advance();
        }
    }
}

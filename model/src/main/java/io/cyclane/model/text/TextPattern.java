package io.cyclane.model.text;

import java.nio.CharBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Something to look for in a text. Immutable and thread-safe. */
sealed interface TextPattern {
    /** Takes the spans of a text in order. */
    interface Sink {
        /**
         * A match, or what lies between two; together they cover the text. A match may be empty.
         */
        void accept(int from, int to, boolean isMatch);
    }

    /** Covers {@code text[from .. to)} with spans; an empty text is one span and no match. */
    void spans(Text text, int from, int to, Sink sink);

    /** A string as it stands. An empty one is never found. */
    record Literal(String string) implements TextPattern {
        @Override
        public void spans(Text text, int from, int to, Sink sink) {
            int done = from;
            for (int i = from; i + string.length() <= to && !string.isEmpty(); i++) {
                if (isAt(text.chars, i)) {
                    if (done < i) {
                        sink.accept(done, i, false);
                    }
                    done = i + string.length();
                    sink.accept(i, done, true);
                    i = done - 1;
                }
            }
            if (done < to || from == to) {
                sink.accept(done, to, false);
            }
        }

        private boolean isAt(char[] chars, int at) {
            for (int i = 0; i < string.length(); i++) {
                if (chars[at + i] != string.charAt(i)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** A regular expression. */
    record Regex(Pattern pattern) implements TextPattern {
        /**
         * Compiles an expression as {@link RegexSyntax} reads it.
         *
         * @throws TokenizerException if it can not be compiled
         */
        static Regex compile(String place, String expression) {
            int flags = Pattern.UNICODE_CHARACTER_CLASS | Pattern.MULTILINE | Pattern.UNIX_LINES;
            try {
                return new Regex(Pattern.compile(RegexSyntax.toJava(place, expression), flags));
            } catch (PatternSyntaxException e) {
                throw new TokenizerException(
                        "%s: the expression '%s' can not be compiled: %s"
                                .formatted(place, expression, e.getDescription()),
                        e);
            }
        }

        @Override
        public void spans(Text text, int from, int to, Sink sink) {
            Matcher matcher = pattern.matcher(CharBuffer.wrap(text.chars, from, to - from));
            int done = from;
            boolean isFirst = true;
            while (find(matcher)) {
                int start = from + matcher.start();
                int end = from + matcher.end();
                boolean isEmptyAfterMatch = start == end && start == done && !isFirst;
                boolean isInsidePair =
                        start == end && start < to && Character.isLowSurrogate(text.chars[start]);
                if (isEmptyAfterMatch || isInsidePair || from == to) {
                    continue;
                }
                if (done < start) {
                    sink.accept(done, start, false);
                }
                sink.accept(start, end, true);
                done = end;
                isFirst = false;
            }
            if (done < to || from == to) {
                sink.accept(done, to, false);
            }
        }

        private boolean find(Matcher matcher) {
            try {
                return matcher.find();
            } catch (StackOverflowError e) {
                throw new TokenizerException(
                        "the expression '%s' nests too deeply on this text: split the text"
                                .formatted(pattern),
                        e);
            }
        }
    }
}

package io.cyclane.model.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A step from the spellings of tokens back to text; the last step's strings are joined. Immutable.
 */
sealed interface Decoder {
    List<String> apply(List<String> tokens);

    /** One after the other. */
    record Sequence(List<Decoder> steps) implements Decoder {
        public Sequence {
            steps = List.copyOf(steps);
        }

        @Override
        public List<String> apply(List<String> tokens) {
            List<String> result = tokens;
            for (Decoder step : steps) {
                result = step.apply(result);
            }
            return result;
        }
    }

    /** A blank before every token that does not continue a word; English punctuation moved up. */
    record WordPiece(String prefix, boolean cleansUp) implements Decoder {
        private static final String[][] CLEANED = {
            {" .", "."},
            {" ?", "?"},
            {" !", "!"},
            {" ,", ","},
            {" ' ", "'"},
            {" n't", "n't"},
            {" 'm", "'m"},
            {" do not", " don't"},
            {" 's", "'s"},
            {" 've", "'ve"},
            {" 're", "'re"},
        };

        @Override
        public List<String> apply(List<String> tokens) {
            List<String> result = new ArrayList<>(tokens.size());
            for (int i = 0; i < tokens.size(); i++) {
                String token = tokens.get(i);
                String spaced;
                if (i == 0) {
                    spaced = token;
                } else if (token.startsWith(prefix)) {
                    spaced = token.substring(prefix.length());
                } else {
                    spaced = " " + token;
                }
                result.add(cleansUp ? clean(spaced) : spaced);
            }
            return result;
        }

        private static String clean(String token) {
            String result = token;
            for (String[] pair : CLEANED) {
                result = result.replace(pair[0], pair[1]);
            }
            return result;
        }
    }

    /**
     * Characters of {@link ByteAlphabet} back to the UTF-8 they stand for; bad bytes are U+FFFD.
     */
    record ByteLevel() implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (String token : tokens) {
                boolean isSpelled = token.chars().allMatch(c -> ByteAlphabet.value((char) c) >= 0);
                if (isSpelled) {
                    token.chars().forEach(c -> bytes.write(ByteAlphabet.value((char) c)));
                } else {
                    bytes.writeBytes(token.getBytes(StandardCharsets.UTF_8));
                }
            }
            return List.of(bytes.toString(StandardCharsets.UTF_8));
        }
    }

    /** Runs of {@code <0xE2>} and the like to the UTF-8 they stand for, or a U+FFFD for each. */
    record ByteFallback() implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            List<String> result = new ArrayList<>(tokens.size());
            ByteArrayOutputStream run = new ByteArrayOutputStream();
            for (String token : tokens) {
                int value = value(token);
                if (value >= 0) {
                    run.write(value);
                } else {
                    flush(run, result);
                    result.add(token);
                }
            }
            flush(run, result);
            return result;
        }

        private static int value(String token) {
            boolean isByte = token.length() == 6 && token.startsWith("<0x") && token.endsWith(">");
            int high = isByte ? Character.digit(token.charAt(3), 16) : -1;
            int low = isByte ? Character.digit(token.charAt(4), 16) : -1;
            return high < 0 || low < 0 ? -1 : high << 4 | low;
        }

        private static void flush(ByteArrayOutputStream run, List<String> result) {
            if (run.size() == 0) {
                return;
            }
            ByteBuffer bytes = ByteBuffer.wrap(run.toByteArray());
            try {
                result.add(StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
            } catch (CharacterCodingException e) {
                for (int i = 0; i < run.size(); i++) {
                    result.add(String.valueOf(Unicode.REPLACEMENT));
                }
            }
            run.reset();
        }
    }

    /** The mark at the end of a word to a blank, and to nothing in the last token. */
    record EndOfWord(String suffix) implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            List<String> result = new ArrayList<>(tokens.size());
            for (int i = 0; i < tokens.size(); i++) {
                result.add(tokens.get(i).replace(suffix, i + 1 == tokens.size() ? "" : " "));
            }
            return result;
        }
    }

    /** The replacement character back to a blank, and to nothing in the first token. */
    record Metaspace(int replacement, boolean hasPrefix) implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            List<String> result = new ArrayList<>(tokens.size());
            String mark = Character.toString(replacement);
            for (int i = 0; i < tokens.size(); i++) {
                result.add(tokens.get(i).replace(mark, i == 0 && hasPrefix ? "" : " "));
            }
            return result;
        }
    }

    /** Other characters for every match in a token. */
    record Replace(TextPattern pattern, String content) implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            return tokens.stream().map(this::replaced).toList();
        }

        private String replaced(String token) {
            Text text = new Text();
            text.load(token, false);
            StringBuilder result = new StringBuilder();
            pattern.spans(
                    text,
                    0,
                    text.length,
                    (from, to, isMatch) ->
                            result.append(isMatch ? content : text.string(from, to)));
            return result.toString();
        }
    }

    /** Up to so many of one character off the ends of each token. */
    record Strip(int codePoint, int mostAtStart, int mostAtEnd) implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            return tokens.stream().map(this::stripped).toList();
        }

        private String stripped(String token) {
            int[] chars = token.codePoints().toArray();
            int from = 0;
            while (from < Math.min(mostAtStart, chars.length) && chars[from] == codePoint) {
                from++;
            }
            int to = chars.length;
            while (to > from && chars.length - to < mostAtEnd && chars[to - 1] == codePoint) {
                to--;
            }
            return new String(chars, from, to - from);
        }
    }

    /** All tokens to one. */
    record Fuse() implements Decoder {
        @Override
        public List<String> apply(List<String> tokens) {
            return List.of(String.join("", tokens));
        }
    }
}

package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged tokenizer files: a typed error or a tokenizer that works, never another exception. */
class TokenizerFuzzTest {
    private static final long SEED = 20_261_121;

    private static final List<String> NUMBERS =
            List.of("-1", "0", "2147483647", "4294967296", "9223372036854775808", "1e99", "null");

    private static final List<String> TEXTS =
            List.of(
                    "",
                    " ",
                    "the cafe\u0301s don't [MASK] 12",
                    "\uD83D\uDE00\uD800<s>\n\n  x",
                    "Hello and");

    @TempDir Path folder;

    @Test
    void survivesAThousandDamagedFiles() throws IOException {
        run(1000);
    }

    @Test
    @Tag("long")
    void survivesAHundredThousandDamagedFiles() throws IOException {
        run(100_000);
    }

    private void run(int trials) throws IOException {
        List<ComponentsTest.Component> components = ComponentsTest.components();
        Random random = new Random(SEED);
        int loaded = 0;
        for (int trial = 0; trial < trials; trial++) {
            byte[] file = components.get(random.nextInt(components.size())).file();
            boolean loads =
                    switch (random.nextInt(8)) {
                        case 0 -> tryVocabularyText(random, trial);
                        case 1 -> tryPair(random, trial);
                        case 2 -> tryJson(mutated(packed(file), random), trial);
                        default -> tryJson(mutated(file, random), trial);
                    };
            loaded += loads ? 1 : 0;
        }
        System.out.printf("%d damaged files, seed %d: %d still load%n", trials, SEED, loaded);
        // Neither branch may go unseen.
        assertTrue(loaded > trials / 50 && loaded < trials, "loaded " + loaded);
    }

    private boolean tryJson(byte[] file, int trial) {
        return attempt(() -> Tokenizer.fromJson(file), trial);
    }

    private boolean tryVocabularyText(Random random, int trial) throws IOException {
        String vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncafe\n##s\nx\n\u00e9\n";
        Path file = folder.resolve("vocab.txt");
        Files.write(file, mutated(vocabulary.getBytes(StandardCharsets.UTF_8), random));
        return attempt(() -> Tokenizer.load(file), trial);
    }

    private boolean tryPair(Random random, int trial) throws IOException {
        byte[] vocabulary = "{\"t\": 0, \"h\": 1, \"e\": 2, \"th\": 3, \"the\": 4}".getBytes();
        byte[] merges = "#version: 0.2\nt h\nth e\n".getBytes();
        boolean first = random.nextBoolean();
        Files.write(folder.resolve("vocab.json"), first ? mutated(vocabulary, random) : vocabulary);
        Files.write(folder.resolve("merges.txt"), first ? merges : mutated(merges, random));
        return attempt(() -> Tokenizer.load(folder.resolve("vocab.json")), trial);
    }

    private interface Loader {
        Tokenizer load();
    }

    /** {@return whether the tokenizer loads}; what it then makes of texts must be sound. */
    private static boolean attempt(Loader loader, int trial) {
        boolean isLoaded = false;
        try {
            Tokenizer tokenizer = loader.load();
            isLoaded = true;
            TokenBatch batch = new TokenBatch();
            for (String text : TEXTS) {
                check(tokenizer, text, batch);
            }
        } catch (TokenizerException expected) {
            assertTrue(!expected.getMessage().isBlank());
        } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError("trial " + trial + ", seed " + SEED, e);
        }
        return isLoaded;
    }

    private static void check(Tokenizer tokenizer, String text, TokenBatch batch) {
        batch.clear();
        int length = tokenizer.encode(text, Tokenizer.NO_LIMIT, batch);
        Encoding encoding = tokenizer.encode(text, Tokenizer.NO_LIMIT);
        assertEquals(length, encoding.ids().length);
        assertTrue(Arrays.equals(encoding.ids(), Arrays.copyOf(batch.ids(), length)), text);
        for (int i = 0; i < length; i++) {
            assertTrue(encoding.ids()[i] >= 0);
            assertTrue(0 <= encoding.starts()[i] && encoding.starts()[i] <= encoding.ends()[i]);
            assertTrue(encoding.ends()[i] <= text.length());
        }
        tokenizer.decode(encoding.ids(), false);
        int limit = tokenizer.specials(false) + 1;
        assertTrue(tokenizer.encode(text, limit, batch) <= limit);
        int pairLimit = tokenizer.specials(true) + 3;
        assertTrue(tokenizer.encode(text, text, pairLimit, batch) <= pairLimit);
    }

    private static byte[] packed(byte[] file) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(file);
        }
        return out.toByteArray();
    }

    /**
     * One to three injuries: a byte changed, a part cut out, doubled or swapped, a number replaced.
     */
    private static byte[] mutated(byte[] file, Random random) {
        byte[] result = file;
        for (int i = random.nextInt(3); i >= 0; i--) {
            result = injured(result, random);
        }
        return result;
    }

    private static byte[] injured(byte[] file, Random random) {
        int at = random.nextInt(file.length + 1);
        int to = Math.min(file.length, at + random.nextInt(20));
        byte[] part = Arrays.copyOfRange(file, at, to);
        return switch (random.nextInt(6)) {
            case 0 -> spliced(file, at, Math.min(file.length, at + 1), (byte) random.nextInt(256));
            case 1 -> spliced(file, at, to);
            case 2 -> spliced(file, at, at, part);
            case 3 -> Arrays.copyOf(file, at);
            case 4 -> {
                byte[] elsewhere = part.clone();
                int there = random.nextInt(file.length - part.length + 1);
                yield spliced(file, there, there + elsewhere.length, elsewhere);
            }
            default -> withOtherNumber(file, random);
        };
    }

    private static byte[] withOtherNumber(byte[] file, Random random) {
        List<Integer> starts = new ArrayList<>();
        for (int i = 1; i < file.length; i++) {
            if (Character.isDigit(file[i]) && !Character.isDigit(file[i - 1])) {
                starts.add(i);
            }
        }
        if (starts.isEmpty()) {
            return file;
        }
        int from = starts.get(random.nextInt(starts.size()));
        int to = from;
        while (to < file.length && Character.isDigit(file[to])) {
            to++;
        }
        String number = NUMBERS.get(random.nextInt(NUMBERS.size()));
        return spliced(file, from, to, number.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] spliced(byte[] file, int from, int to, byte... replacement) {
        byte[] result = new byte[file.length - (to - from) + replacement.length];
        System.arraycopy(file, 0, result, 0, from);
        System.arraycopy(replacement, 0, result, from, replacement.length);
        System.arraycopy(file, to, result, from + replacement.length, file.length - to);
        return result;
    }
}

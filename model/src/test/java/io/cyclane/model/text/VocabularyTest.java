package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VocabularyTest {
    @Test
    void agreesWithAMap() {
        Random random = new Random(3);
        Map<String, Integer> ids = new HashMap<>();
        for (int i = 0; i < 5000; i++) {
            ids.putIfAbsent(word(random), i * 7);
        }
        Vocabulary vocabulary = vocabulary(ids);
        assertEquals(ids.size(), vocabulary.size());
        for (Map.Entry<String, Integer> entry : ids.entrySet()) {
            assertEquals(entry.getKey(), vocabulary.piece(entry.getValue()));
        }
        for (int i = 0; i < 20_000; i++) {
            String word = word(random);
            int expected = ids.getOrDefault(word, Vocabulary.NONE);
            assertEquals(expected, vocabulary.id(word), word);
            char[] padded = ("x" + word + "y").toCharArray();
            assertEquals(expected, vocabulary.id(padded, 1, 1 + word.length()), word);
        }
    }

    /** Tables of more than a million characters are fuller, and of any number of slots. */
    @ParameterizedTest
    @CsvSource({"13000, 90, 0", "13000, 100, 60"})
    void findsLongPieces(int pieces, int length, int shared) {
        Vocabulary.Builder builder = new Vocabulary.Builder();
        for (int i = 0; i < pieces; i++) {
            builder.add(longWord(i, length, shared), i);
        }
        Vocabulary vocabulary = builder.build("vocabulary");
        for (int i = 0; i < 2 * pieces; i++) {
            String word = longWord(i, length, shared);
            assertEquals(i < pieces ? i : Vocabulary.NONE, vocabulary.id(word), word);
            assertEquals(Vocabulary.NONE, vocabulary.id(word.substring(1)), word);
            assertEquals(Vocabulary.NONE, vocabulary.id(word.substring(0, length - 1)), word);
        }
    }

    @Test
    void countsSharedBeginningsOnce() {
        Vocabulary.Builder shared = new Vocabulary.Builder();
        Vocabulary.Builder own = new Vocabulary.Builder();
        for (int i = 0; i < 39_000; i++) {
            shared.add(longWord(i, 100, 60), i);
            own.add(longWord(i, 100, 0), i);
        }
        assertEquals(39_000, shared.build("vocabulary").size());
        var error = assertThrows(TokenizerException.class, () -> own.build("vocabulary"));
        assertTrue(error.getMessage().contains("3900000 characters: at most 3670016 are"));
    }

    @Test
    void hasPiecesOnlyForItsIds() {
        Vocabulary vocabulary = vocabulary(Map.of("a", 0, "b", 2, "c", 2_000_000_000));
        assertEquals("c", vocabulary.piece(2_000_000_000));
        assertNull(vocabulary.piece(1));
        assertNull(vocabulary.piece(-1));
        assertNull(vocabulary.piece(Integer.MAX_VALUE));
        assertEquals(2_000_000_001, vocabulary.idBound());
        Vocabulary dense = vocabulary(Map.of("a", 0, "b", 1));
        assertEquals("b", dense.piece(1));
        assertNull(dense.piece(2));
        assertNull(dense.piece(-1));
        assertEquals(0, vocabulary(Map.of()).idBound());
    }

    @Test
    void refusesAnIdOfTwoPieces() {
        var error =
                assertThrows(TokenizerException.class, () -> vocabulary(Map.of("a", 1, "b", 1)));
        assertTrue(error.getMessage().contains("share the id 1"), error.getMessage());
    }

    @Test
    void refusesAPieceTwice() {
        Vocabulary.Builder builder = new Vocabulary.Builder();
        builder.add("a", 2);
        builder.add("b", 1);
        builder.add("a", 0);
        var error = assertThrows(TokenizerException.class, () -> builder.build("vocabulary"));
        assertTrue(error.getMessage().contains("'a' twice"), error.getMessage());
    }

    @Test
    void ofEqualLinesTheLastCounts() {
        Vocabulary.Builder builder = new Vocabulary.Builder();
        int id = 0;
        for (String line : new String[] {"a", "b", "b", "a", "c"}) {
            builder.addLine(line, id++);
        }
        Vocabulary vocabulary = builder.buildOfLast();
        assertEquals(3, vocabulary.id("a"));
        assertEquals(2, vocabulary.id("b"));
        assertEquals(4, vocabulary.id("c"));
        assertNull(vocabulary.piece(0));
        assertEquals("a", vocabulary.piece(3));
        assertEquals(3, vocabulary.size());
    }

    private static Vocabulary vocabulary(Map<String, Integer> ids) {
        Vocabulary.Builder builder = new Vocabulary.Builder();
        ids.forEach(builder::add);
        return builder.build("vocabulary");
    }

    /** {@return a word of its own, but that it begins as one other does} */
    private static String longWord(int number, int length, int shared) {
        StringBuilder word = new StringBuilder(length);
        Random random = new Random(~(number / 2));
        for (int i = 0; i < length; i++) {
            if (i == shared) {
                random = new Random(number);
            }
            word.append((char) ('a' + random.nextInt(26)));
        }
        return word.toString();
    }

    private static String word(Random random) {
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(7); i > 0; i--) {
            word.appendCodePoint(random.nextBoolean() ? 'a' + random.nextInt(4) : 0x1F600);
        }
        return word.toString();
    }
}

package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.InputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever comes in gives a defined result or one clear error, and the encoder stays usable. */
class EncoderInputTest {
    private static final int VOCABULARY = SmallBert.vocabulary().size();

    @TempDir static Path temporary;
    private static Path model;
    private static Encoder encoder;
    private static float[] usual;

    @BeforeAll
    static void load() {
        model = SmallBert.folder(temporary, 9);
        encoder = Encoder.builder(model.toString()).capacity(new Capacity(200, 8)).load();
        usual = encoder.embed("a cat");
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    @Test
    void textsWithoutWordsGiveTheVectorOfAnEmptyText() {
        float[] empty = encoder.embed("");
        assertEquals(1, squares(empty), 1e-5);
        for (String blank : List.of(" ", "\t\n\r ", "\u00a0\u3000", "\u0000")) {
            assertArrayEquals(empty, encoder.embed(blank));
        }
        assertArrayEquals(new int[] {2, 4}, encoder.run(List.of("", "a cat")).tokens());
        assertTrue(!Arrays.equals(empty, usual));
    }

    /** They count among no tokens, so that a table may seem to have a row for each. */
    @Test
    void tokensAroundTextsNeedRowsOfTheTable() throws IOException {
        Path file = temporary.resolve("outside.json");
        String json =
                """
                {"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
                 "post_processor": {"type": "TemplateProcessing",
                  "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                             {"Sequence": {"id": "A", "type_id": 0}}],
                  "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                           {"Sequence": {"id": "B", "type_id": 0}}],
                  "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1, %d]}}}}
                """;
        Encoder.Builder builder = Encoder.builder(model.toString()).tokenizer(file);
        Files.writeString(file, json.formatted(VOCABULARY));
        CheckpointException e = assertThrows(CheckpointException.class, builder::load);
        String says =
                "'[CLS]', put around texts, has the id %d, its word table %d rows"
                        .formatted(VOCABULARY, VOCABULARY);
        assertTrue(e.getMessage().contains(says), e::getMessage);
        Files.writeString(file, json.formatted(VOCABULARY - 1));
        builder.load().close();
    }

    @Test
    void loneSurrogatesCountAsTheReplacementCharacter() {
        float[] replaced = encoder.embed("a \ufffd cat");
        assertArrayEquals(replaced, encoder.embed("a \ud83d cat"));
        assertArrayEquals(replaced, encoder.embed("a \ude00 cat"));
    }

    @Test
    void aWordOfTwentyKilobytesIsOneUnknownWord() {
        Embeddings result = encoder.run(List.of("x".repeat(20_000), "x ".repeat(20_000)));
        assertArrayEquals(new int[] {3, SmallBert.POSITIONS}, result.tokens());
        assertEquals(1, result.truncated());
        assertEquals(1, squares(result.vectors()[0]), 1e-5);
    }

    @Test
    void onlyTextsAboveTheLimitAreCut() {
        int limit = SmallBert.POSITIONS;
        List<String> texts = SmallBert.texts(limit, limit, limit);
        String exact = texts.get(0);
        String below = exact.substring(0, exact.lastIndexOf(' '));
        Embeddings result = encoder.run(List.of(below, exact, exact + " sea"));
        assertArrayEquals(new int[] {limit - 1, limit, limit}, result.tokens());
        assertEquals(1, result.truncated());
        assertArrayEquals(result.vectors()[1], result.vectors()[2], "the last word was cut");
        assertTrue(!Arrays.equals(result.vectors()[0], result.vectors()[1]));
    }

    @Test
    void aNullTextIsNamed() {
        NullPointerException failed =
                assertThrows(
                        NullPointerException.class,
                        () -> encoder.run(Arrays.asList("a cat", "the rug", null)));
        assertEquals("text 2 of the list is null", failed.getMessage());
        assertThrows(NullPointerException.class, () -> encoder.embed((String) null));
        assertArrayEquals(usual, encoder.embed("a cat"));
    }

    @Test
    void noTextsGiveNoVectors() {
        Embeddings result = encoder.run(List.of());
        assertEquals(0, result.vectors().length);
        assertEquals(0, result.truncated());
        encoder.embed(new TokenBatch(), MemorySegment.ofArray(new float[0]));
    }

    @Test
    void anyNumberOfTextsIsReadInTheMemoryOfOneBatch() {
        Path tiny = SmallBert.tiny(9).write(temporary.resolve("tiny"));
        List<String> some = SmallBert.texts(3, 9, 4, 30, 5, 2, 7);
        // Not to be read by index, which takes a list like this one the square of its length.
        List<String> texts = new LinkedList<>();
        for (int i = 0; i < 10_000; i++) {
            texts.add(some.get(i % some.size()));
        }
        try (Property _ = Property.threads(1);
                Encoder one =
                        Encoder.builder(tiny.toString()).capacity(new Capacity(512, 64)).load()) {
            float[][] expected = one.embed(some);
            long before = Warm.liveBytes();
            float[][] vectors = one.embed(texts);
            assertEquals(before, Warm.liveBytes());
            assertEquals(10_000, vectors.length);
            for (int i = 0; i < vectors.length; i++) {
                assertArrayEquals(expected[i % some.size()], vectors[i], "text " + i);
            }
        }
    }

    @Test
    void idsOutsideTheVocabularyAreRefused() {
        MemorySegment vectors = MemorySegment.ofArray(new float[3 * SmallBert.WIDTH]);
        for (int id : new int[] {-1, VOCABULARY, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            TokenBatch batch = new TokenBatch();
            batch.add(2, 3);
            batch.add(5, id, 3);
            InputException failed =
                    assertThrows(InputException.class, () -> encoder.embed(batch, vectors));
            assertTrue(
                    failed.getMessage().contains("id " + id + ", at place 3"), failed::getMessage);
            assertArrayEquals(usual, encoder.embed("a cat"), "usable afterwards");
        }
    }

    @Test
    void aSequenceTooLongByIdsIsRefusedBeforeAnythingIsWritten() {
        float[] vectors = new float[12 * SmallBert.WIDTH];
        TokenBatch batch = new TokenBatch();
        for (int i = 0; i < 11; i++) {
            batch.add(TestModels.ids(SmallBert.POSITIONS, VOCABULARY, i));
        }
        batch.add(TestModels.ids(SmallBert.POSITIONS + 1, VOCABULARY, 11));
        CapacityException failed =
                assertThrows(
                        CapacityException.class,
                        () -> encoder.embed(batch, MemorySegment.ofArray(vectors)));
        assertEquals(
                "sequence 11 has 101 tokens, this encoder reads at most 100: cut it",
                failed.getMessage());
        assertThrows(
                CapacityException.class,
                () -> encoder.embed(batch, new UnsafeBuffer(new byte[4 * vectors.length]), 0));
        assertArrayEquals(new float[vectors.length], vectors);
    }

    @Test
    void vectorsThatDoNotFitAreRefusedBeforeAnythingIsWritten() {
        TokenBatch batch = new TokenBatch();
        batch.add(2, 3);
        batch.add(2, 5, 3);
        float[] small = new float[2 * SmallBert.WIDTH - 1];
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> encoder.embed(batch, MemorySegment.ofArray(small)));
        assertArrayEquals(new float[small.length], small);
        UnsafeBuffer buffer = new UnsafeBuffer(new byte[8 * SmallBert.WIDTH]);
        assertThrows(IndexOutOfBoundsException.class, () -> encoder.embed(batch, buffer, 4));
        assertThrows(IndexOutOfBoundsException.class, () -> encoder.embed(batch, buffer, -1));
        encoder.embed(batch, buffer, 0);
    }

    @Test
    void vectorsAreWrittenWhereTheyAreWantedAndNowhereElse() {
        TokenBatch batch = new TokenBatch();
        for (int i = 0; i < 20; i++) {
            batch.add(TestModels.ids(1 + i * 5, VOCABULARY, i));
        }
        int floats = 20 * SmallBert.WIDTH;
        float[] vectors = new float[floats];
        encoder.embed(batch, MemorySegment.ofArray(vectors));
        UnsafeBuffer buffer = new UnsafeBuffer(new byte[4 * floats + 20]);
        buffer.setMemory(0, buffer.capacity(), (byte) 7);
        encoder.embed(batch, buffer, 12);
        for (int i = 0; i < floats; i++) {
            assertEquals(vectors[i], buffer.getFloat(12 + 4 * i), "element " + i);
        }
        for (int i = 0; i < 12; i++) {
            assertEquals(7, buffer.getByte(i));
        }
        for (int i = 0; i < 8; i++) {
            assertEquals(7, buffer.getByte(buffer.capacity() - 1 - i));
        }
    }

    @Test
    void aSequenceOfNoTokensGivesZerosAndLeavesItsNeighboursAlone() {
        TokenBatch batch = new TokenBatch();
        batch.add();
        batch.add(2, 5, 3);
        batch.add();
        TokenBatch alone = new TokenBatch();
        alone.add(2, 5, 3);
        float[] vectors = new float[3 * SmallBert.WIDTH];
        float[] expected = new float[3 * SmallBert.WIDTH];
        encoder.embed(alone, MemorySegment.ofArray(expected).asSlice(4L * SmallBert.WIDTH));
        encoder.embed(batch, MemorySegment.ofArray(vectors));
        assertArrayEquals(expected, vectors);
        TokenBatch nothing = new TokenBatch();
        nothing.add();
        Arrays.fill(vectors, 1);
        encoder.embed(nothing, MemorySegment.ofArray(vectors).asSlice(0, 4L * SmallBert.WIDTH));
        for (int i = 0; i < SmallBert.WIDTH; i++) {
            assertEquals(0f, vectors[i]);
        }
    }

    @Test
    void aCapacityBelowATextCutsIt() {
        String text = SmallBert.texts(60).getFirst();
        try (Encoder small =
                Encoder.builder(model.toString()).capacity(new Capacity(16, 2)).load()) {
            assertEquals(16, small.info().maxTokens());
            Embeddings result = small.run(List.of(text, "a cat", text));
            assertArrayEquals(new int[] {16, 4, 16}, result.tokens());
            assertEquals(2, result.truncated());
            assertArrayEquals(usual, result.vectors()[1]);
            TokenBatch batch = new TokenBatch();
            batch.add(TestModels.ids(17, VOCABULARY, 1));
            assertThrows(
                    CapacityException.class,
                    () -> small.embed(batch, MemorySegment.ofArray(new float[SmallBert.WIDTH])));
        }
    }

    @Test
    void limitsThatCanNotBeAreRefused() {
        CapacityException above =
                assertThrows(
                        CapacityException.class,
                        () -> Encoder.builder(model.toString()).maxTokens(101).load());
        assertTrue(above.getMessage().contains("101"), above::getMessage);
        assertTrue(above.getMessage().contains("at most 100"), above::getMessage);
        CapacityException below =
                assertThrows(
                        CapacityException.class,
                        () ->
                                Encoder.builder(model.toString())
                                        .capacity(new Capacity(1, 1))
                                        .load());
        assertTrue(below.getMessage().contains("adds 2 to every text"), below::getMessage);
        Encoder.Builder builder = Encoder.builder(model.toString());
        assertThrows(IllegalArgumentException.class, () -> builder.maxTokens(0));
        assertThrows(IllegalArgumentException.class, () -> builder.sessions(0));
        assertThrows(IllegalArgumentException.class, () -> new Capacity(0, 1));
        assertThrows(IllegalArgumentException.class, () -> new Capacity(1, 0));
    }

    @Test
    void theModelsPromptAndCaseAreAppliedToEveryText() throws Exception {
        Path folder = SmallBert.random(9).write(temporary.resolve("prompted"));
        Files.writeString(
                folder.resolve("config_sentence_transformers.json"),
                "{\"prompts\": {\"q\": \"READ: \"}, \"default_prompt_name\": \"q\"}");
        Files.writeString(
                folder.resolve("sentence_bert_config.json"),
                "{\"max_seq_length\": 20, \"do_lower_case\": true}");
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"do_lower_case\": false}");
        try (Encoder prompted = Encoder.load(folder)) {
            assertArrayEquals(encoder.embed("read: a cat"), prompted.embed("A CAT"));
            assertEquals(20, prompted.info().maxTokens());
        }
        assertEquals("read: a cat", "READ: A CAT".toLowerCase(Locale.ROOT));
    }

    @Test
    void tokensOfTextsGiveTheVectorsOfTexts() {
        List<String> texts = SmallBert.texts(5, 100, 33, 2, 64, 90, 7, 8, 9, 10, 11);
        TokenBatch batch = new TokenBatch();
        List<Integer> lengths = new ArrayList<>();
        texts.forEach(text -> lengths.add(encoder.tokenize(text, batch)));
        float[] vectors = new float[texts.size() * SmallBert.WIDTH];
        encoder.embed(batch, MemorySegment.ofArray(vectors));
        Embeddings expected = encoder.run(texts);
        assertArrayEquals(
                expected.tokens(), lengths.stream().mapToInt(Integer::intValue).toArray());
        for (int i = 0; i < texts.size(); i++) {
            int from = i * SmallBert.WIDTH;
            assertArrayEquals(
                    expected.vectors()[i],
                    Arrays.copyOfRange(vectors, from, from + SmallBert.WIDTH));
        }
    }

    private static double squares(float[] vector) {
        double sum = 0;
        for (float x : vector) {
            sum += (double) x * x;
        }
        return sum;
    }
}

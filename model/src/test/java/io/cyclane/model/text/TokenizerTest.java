package io.cyclane.model.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    /**
     * Pieces of single letters, so that a text of n letters is n tokens between two special ones.
     */
    private static final Tokenizer LETTERS =
            Tokenizer.fromJson(
                    """
                    {"added_tokens": [
                       {"id": 2, "content": "[CLS]", "special": true},
                       {"id": 3, "content": "[SEP]", "special": true}],
                     "normalizer": {"type": "BertNormalizer"},
                     "pre_tokenizer": {"type": "BertPreTokenizer"},
                     "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
                     "model": {"type": "WordPiece", "vocab": {
                       "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5, "##a": 6}}}
                    """
                            .getBytes(UTF_8));

    private static final int UNKNOWN = 1;
    private static final int CLS = 2;
    private static final int SEP = 3;

    @Test
    void textsWithoutWordsAreTheSpecialTokensAlone() {
        for (String text :
                List.of("", " ", "\t\n\r  ", "\0\u0007\u200b\uFFFD", "\uD83D", "\uDE00\uD83D")) {
            assertArrayEquals(new int[] {CLS, SEP}, ids(LETTERS, text, 8), text);
        }
    }

    @Test
    void aLoneSurrogateIsAReplacementCharacter() {
        Tokenizer gpt2 = Tokenizer.load(Vectors.data("tokenizers/gpt2"));
        assertArrayEquals(ids(gpt2, "a\uFFFDb", 99), ids(gpt2, "a\uD83Db", 99));
        assertArrayEquals(ids(gpt2, "a\uFFFD", 99), ids(gpt2, "a\uDE00", 99));
        assertEquals("a\uFFFDb", gpt2.decode(ids(gpt2, "a\uD83Db", 99), true));
    }

    @Test
    void aWordOfTwentyKilobytesIsOneUnknownTokenOrManyPieces() {
        String word = "a".repeat(20_480);
        assertArrayEquals(new int[] {CLS, UNKNOWN, SEP}, ids(LETTERS, word, 256));
        Tokenizer gpt2 = Tokenizer.load(Vectors.data("tokenizers/gpt2"));
        int[] ids = ids(gpt2, word, Tokenizer.NO_LIMIT);
        assertEquals(word, gpt2.decode(ids, true));
        assertEquals(512, ids(gpt2, word, 512).length);
    }

    @ParameterizedTest
    @CsvSource({"7, false", "8, false", "9, true", "1000, true"})
    void cutsAtExactlyTheLimit(int letters, boolean isCut) {
        TokenBatch batch = new TokenBatch();
        String text = "a ".repeat(letters);
        int length = LETTERS.encode(text, 10, batch);
        assertEquals(Math.min(letters + 2, 10), length);
        assertEquals(isCut ? 1 : 0, batch.truncated());
        assertEquals(SEP, batch.ids()[length - 1]);
        assertEquals(isCut, LETTERS.encode(text, 10).isTruncated());
    }

    @Test
    void aLimitBelowTheSpecialTokensIsRefused() {
        assertArrayEquals(new int[] {CLS, SEP}, ids(LETTERS, "abc", 2));
        var error = assertThrows(TokenizerException.class, () -> ids(LETTERS, "abc", 1));
        assertTrue(error.getMessage().contains("a limit of 1 tokens"), error.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, 1",
        "1, 0, 1",
        "5, 0, 1",
        "6, 0, 2",
        "10, 0, 2",
        "11, 0, 3",
        "6, 2, 2",
        "8, 2, 2",
        "9, 2, 3"
    })
    void aLongTextBecomesParts(int letters, int overlap, int parts) {
        TokenBatch batch = new TokenBatch();
        assertEquals(
                parts,
                LETTERS.encodeParts(
                        "a b ".repeat(letters).substring(0, 2 * letters), 7, overlap, batch));
        StringBuilder joined = new StringBuilder();
        for (int s = 0; s < batch.sequences(); s++) {
            int from = batch.offsets()[s];
            int to = batch.offsets()[s + 1];
            assertTrue(to - from <= 7);
            assertEquals(CLS, batch.ids()[from]);
            assertEquals(SEP, batch.ids()[to - 1]);
            for (int i = from + 1 + (s == 0 ? 0 : overlap); i < to - 1; i++) {
                joined.append(LETTERS.token(batch.ids()[i]));
            }
        }
        assertEquals("ab".repeat(letters).substring(0, letters), joined.toString());
        assertEquals(0, batch.truncated());
        assertThrows(TokenizerException.class, () -> LETTERS.encodeParts("a", 7, 5, batch));
        assertThrows(TokenizerException.class, () -> LETTERS.encodeParts("a", 2, 0, batch));
    }

    @Test
    void theLongerTextOfAPairGivesWay() {
        assertEquals("CaabSbbbbS", pair("a a b", "b b b b b b b b", 10));
        assertEquals("CaaaaSabbS", pair("a a a a a a a a", "a b b", 10));
        assertEquals("CaaaSbbbbS", pair("a a a a a a a a", "b b b b b b b b", 10));
        assertEquals("CaaaaaaaSS", pair("a a a a a a a a a a", "", 10));
        assertEquals("CSbbbbbbbS", pair("", "b b b b b b b b", 10));
        assertEquals("CSS", pair("a a", "b", 3));
    }

    @Test
    void aTextThatMayNotGiveWayMustFit() {
        assertEquals(4, Truncation.keptOfFirst(Truncation.Strategy.ONLY_FIRST, 8, 3, 7));
        assertEquals(3, Truncation.keptOfSecond(Truncation.Strategy.ONLY_FIRST, 8, 3, 7));
        assertEquals(1, Truncation.keptOfSecond(Truncation.Strategy.ONLY_SECOND, 6, 3, 7));
        var error =
                assertThrows(
                        TokenizerException.class,
                        () -> Truncation.keptOfSecond(Truncation.Strategy.ONLY_SECOND, 8, 3, 7));
        assertTrue(error.getMessage().contains("only its second text"), error.getMessage());
    }

    @Test
    void theFilesOwnLimitYieldsToTheCallers() throws IOException {
        Tokenizer tokenizer;
        try (InputStream in = getClass().getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
            assertNotNull(in, "the model jar of the test scope");
            tokenizer = Tokenizer.fromJson(in.readAllBytes());
        }
        assertNotNull(tokenizer.truncation());
        assertEquals(128, tokenizer.truncation().limit());
        assertNotNull(tokenizer.padding());
        assertEquals(0, tokenizer.padding().id());
        TokenBatch batch = new TokenBatch();
        String text = "word ".repeat(300);
        assertEquals(128, tokenizer.encode(text, batch));
        assertEquals(256, tokenizer.encode(text, 256, batch));
        assertEquals(302, tokenizer.encode(text, Tokenizer.NO_LIMIT, batch));
        assertEquals(3, tokenizer.encode("word", 256, batch));
        assertEquals(2, batch.truncated());
        assertArrayEquals(new int[] {0, 128, 384, 686, 689}, Arrays.copyOf(batch.offsets(), 5));
        assertEquals(30_522, tokenizer.vocabularySize());
    }

    @Test
    void aWarmBatchAllocatesNothing() {
        Tokenizer modernBert = Tokenizer.load(Vectors.data("tokenizers/modernbert"));
        Tokenizer bert = Tokenizer.load(Vectors.data("tokenizers/bert-base-uncased"));
        String text =
                "Caf\u00e9s don\u2019t serve 1234 na\u00efve \u65e5\u672c guests: [MASK]. "
                        .repeat(20);
        TokenBatch batch = new TokenBatch();
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = Allocation.bytes();
            for (int i = 0; i < 100; i++) {
                batch.clear();
                modernBert.encode(text, 512, batch);
                bert.encode(text, 512, batch);
                bert.encode(text, text, 512, batch);
            }
            allocated = Math.min(allocated, Allocation.bytes() - before);
        }
        // Asking for the count allocates a little itself.
        assertTrue(allocated < 3000, "bytes for 300 texts: " + allocated);
    }

    @Test
    void partsOfAPairAreThoseOfItsEncoding() {
        Random random = new Random(5);
        for (int trial = 0; trial < 500; trial++) {
            String first = "a b ".repeat(random.nextInt(9));
            String second = "c d e ".repeat(random.nextInt(20));
            int limit = 3 + random.nextInt(30);
            int overlap = random.nextInt(4);
            TokenBatch expected = new TokenBatch();
            String error = "";
            try {
                LETTERS.encode(first, second, Tokenizer.NO_LIMIT)
                        .parts(limit, overlap)
                        .forEach(expected::add);
            } catch (TokenizerException e) {
                error = e.getMessage();
            }
            TokenBatch batch = new TokenBatch();
            String message = "";
            try {
                int parts = LETTERS.encodeParts(first, second, limit, overlap, batch);
                assertEquals(expected.sequences(), parts);
            } catch (TokenizerException e) {
                message = e.getMessage();
            }
            assertEquals(error, message);
            assertArrayEquals(
                    Arrays.copyOf(expected.offsets(), expected.sequences() + 1),
                    Arrays.copyOf(batch.offsets(), batch.sequences() + 1));
            int tokens = expected.tokens();
            assertArrayEquals(
                    Arrays.copyOf(expected.ids(), tokens), Arrays.copyOf(batch.ids(), tokens));
            assertArrayEquals(
                    Arrays.copyOf(expected.typeIds(), tokens),
                    Arrays.copyOf(batch.typeIds(), tokens));
            assertEquals(0, batch.truncated());
        }
    }

    @Test
    void threadsShareATokenizer() throws Exception {
        Tokenizer fresh = Tokenizer.load(Vectors.data("tokenizers/modernbert"));
        List<Vectors.Vector> vectors = Vectors.of("modernbert");
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<TokenBatch>> results = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                results.add(
                        threads.submit(() -> {
                            TokenBatch batch = new TokenBatch();
                            for (Vectors.Vector v : vectors) {
                                fresh.encode(v.text(), Tokenizer.NO_LIMIT, batch);
                            }
                            return batch;
                        }));
            }
            int[] expected = null;
            for (Future<TokenBatch> result : results) {
                int[] ids = Arrays.copyOf(result.get().ids(), result.get().tokens());
                expected = expected == null ? ids : expected;
                assertArrayEquals(expected, ids);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "modernbert"})
    void byteLevelTokensDecodeToTheirText(String name) {
        Tokenizer tokenizer = Tokenizer.load(Vectors.data("tokenizers/" + name));
        for (Vectors.Vector vector : Vectors.of(name)) {
            String text =
                    java.text.Normalizer.normalize(vector.text(), java.text.Normalizer.Form.NFC);
            int[] ids = ids(tokenizer, vector.text(), Tokenizer.NO_LIMIT);
            String decoded = tokenizer.decode(ids, false);
            // ModernBERT's [MASK] takes the blank on its left with it.
            boolean stripsMask = name.equals("modernbert");
            String expected = stripsMask ? text.replace(" [MASK]", "[MASK]") : text;
            assertTrue(decoded.contains(expected), decoded);
        }
    }

    @Test
    void mergesAreReadInBothSpellings() {
        String head =
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, ";
        byte[] strings = (head + "\"merges\": [\"a b\"]}}").getBytes(UTF_8);
        byte[] pairs = (head + "\"merges\": [[\"a\", \"b\"]]}}").getBytes(UTF_8);
        assertArrayEquals(new int[] {2, 2, 0}, ids(Tokenizer.fromJson(strings), "ababa", 9));
        assertArrayEquals(new int[] {2, 2, 0}, ids(Tokenizer.fromJson(pairs), "ababa", 9));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "normalizer; Surprise; the normalizer 'Surprise' is not supported",
                "normalizer; Precompiled; 'Precompiled' is not supported: it comes with SentencePiece,",
                "pre_tokenizer; Surprise; the pre-tokenizer 'Surprise' is not supported",
                "post_processor; Surprise; the post-processor 'Surprise' is not supported",
                "decoder; CTC; the decoder 'CTC' is not supported",
                "model; Surprise; the model 'Surprise' is not supported",
                "model; Unigram; the model 'Unigram' is not supported: it comes with SentencePiece,",
            })
    void anUnknownComponentIsRefusedByName(String member, String type, String message) {
        String model = "\"model\": {\"type\": \"WordLevel\", \"vocab\": {}, \"unk_token\": \"?\"}";
        String other = "\"%s\": {\"type\": \"%s\"}".formatted(member, type);
        String json = member.equals("model") ? "{" + other + "}" : "{" + model + ", " + other + "}";
        refuses(json, message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{\"model\": {}, \"model\": {}}; 'model' twice",
                "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 1, \"a\": 2}}}; 'a' twice",
                "{\"model\"; is not JSON",
                "[]; wanted an object",
                "{\"model\": {\"vocab\": {}}} {}; something follows",
                "{\"model\": {\"vocab\": {\"\\ud800\": 0}}}; surrogate pair",
                "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": 1e9}}}; vocab.a: wanted a whole",
                "{\"model\": {\"type\": \"WordLevel\", \"vocab\": {\"a\": -1}}}; vocab.a: wanted a whole",
                "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 1}}}; unknown token '[UNK]'",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1}, \"merges\": [\"a b\"]}}; 'b' is not in",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": [\"a b c\"]}}; merges[0]: wanted",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": [], \"dropout\": 0.1}}; dropout",
                "{\"model\": {\"vocab\": {}}, \"pre_tokenizer\": {\"type\": \"FixedLength\", \"length\": 0}}; "
                        + "pre_tokenizer.length: wanted at least 1, found 0",
            })
    void aBadFileIsRefused(String json, String message) {
        refuses(json, message);
    }

    @Test
    void aLargeNumberAloneCostsNoMemory() {
        String json =
                """
                {"model": {"type": "WordLevel", "vocab": {"a": 2147483646}, "unk_token": "a"},
                 "added_tokens": [{"id": 2000000000, "content": "b"}],
                 "truncation": {"max_length": 2000000000, "stride": 2000000000},
                 "padding": {"strategy": {"Fixed": 2000000000}, "pad_id": 2000000000}}
                """;
        long before = Allocation.bytes();
        Tokenizer tokenizer = Tokenizer.fromJson(json.getBytes(UTF_8));
        assertArrayEquals(new int[] {2147483646}, ids(tokenizer, "a", 9));
        long allocated = Allocation.bytes() - before;
        assertTrue(allocated < 1 << 20, "bytes: " + allocated);
    }

    @Test
    void aPackedFileOfBlanksIsNotUnpacked() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            byte[] blanks = " ".repeat(1 << 20).getBytes(UTF_8);
            for (int i = 0; i < 50; i++) {
                gzip.write(blanks);
            }
        }
        byte[] file = packed.toByteArray();
        long before = Allocation.bytes();
        var error = assertThrows(TokenizerException.class, () -> Tokenizer.fromJson(file));
        long allocated = Allocation.bytes() - before;
        assertTrue(error.getMessage().contains("tokenizer.json unpacks to more than"));
        assertTrue(allocated < 1 << 20, "bytes: " + allocated);
    }

    @Test
    void aFolderWithoutATokenizerIsRefused(@TempDir Path folder) throws IOException {
        var error = assertThrows(TokenizerException.class, () -> Tokenizer.load(folder));
        assertTrue(error.getMessage().contains("holds no tokenizer"), error.getMessage());
        Files.writeString(folder.resolve("vocab.json"), "{}");
        error = assertThrows(TokenizerException.class, () -> Tokenizer.load(folder));
        assertTrue(error.getMessage().contains("merges.txt"), error.getMessage());
        Path missing = folder.resolve("tokenizer.json");
        error = assertThrows(TokenizerException.class, () -> Tokenizer.load(missing));
        assertTrue(error.getMessage().contains("no such file or folder"), error.getMessage());
    }

    @Test
    void theConfigurationBesideAVocabularyDecides(@TempDir Path folder) throws IOException {
        Files.writeString(
                folder.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nA\n");
        assertArrayEquals(new int[] {CLS, 6, SEP}, ids(Tokenizer.load(folder), "A", 9));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"do_lower_case\": true}");
        assertArrayEquals(new int[] {CLS, 5, SEP}, ids(Tokenizer.load(folder), "A", 9));
    }

    /** As published for want of a limit. */
    @Test
    void aLengthBeyondAllIntegersIsANumber(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n");
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"model_max_length\": 1000000000000000019884624838656}");
        assertArrayEquals(new int[] {CLS, 5, SEP}, ids(Tokenizer.load(folder), "A", 9));
    }

    @Test
    void tokensAroundTextsAreNamedWithTheirIds() {
        assertEquals(Map.of(CLS, "[CLS]", SEP, "[SEP]"), LETTERS.surrounding());
        assertEquals(Map.of(), LETTERS.bare().surrounding());
    }

    @Test
    void otherCheckpointsOfTheDataFolderLoad() {
        assertEquals(1656, Tokenizer.load(Vectors.data("models/tribuo-bert-1l")).vocabularySize());
        assertEquals(
                29_528, Tokenizer.load(Vectors.data("models/model2vec-float32")).vocabularySize());
    }

    private static void refuses(String json, String message) {
        var error =
                assertThrows(
                        TokenizerException.class,
                        () -> Tokenizer.fromJson(json.getBytes(UTF_8)),
                        json);
        assertTrue(error.getMessage().contains(message), error.getMessage());
        assertFalse(error.getMessage().isBlank());
    }

    private static int[] ids(Tokenizer tokenizer, String text, int limit) {
        TokenBatch batch = new TokenBatch();
        tokenizer.encode(text, limit, batch);
        return Arrays.copyOf(batch.ids(), batch.tokens());
    }

    /** {@return the tokens of a pair}, special ones by the first letter of their names. */
    private static String pair(String first, String second, int limit) {
        StringBuilder tokens = new StringBuilder();
        for (String piece : LETTERS.encode(first, second, limit).pieces()) {
            tokens.append(piece.startsWith("[") ? piece.charAt(1) : piece.charAt(0));
        }
        return tokens.toString();
    }
}

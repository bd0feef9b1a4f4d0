package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.Reranker.Ranked;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.text.Allocation;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.TokenizerException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the facades make of their heads' scores; that the scores are right is proved elsewhere. */
class FacadesTest {
    @TempDir Path folder;
    private long before;

    @BeforeEach
    void remember() {
        before = Warm.liveBytes();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(before, Warm.liveBytes());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                SmallModel.BERT,
                SmallModel.ALBERT,
                SmallModel.MODERNBERT,
                SmallModel.MODERNALBERT
            })
    void allTasksReadOnePackedCopyAndGiveTheSameBitsInAnyOrder(String config) {
        Path model = SmallModel.write(folder, SmallModel.oneLabel(config), 1, Task.CLASSIFICATION);
        long alone;
        float[] vector;
        List<Label> labels;
        try (Encoder encoder = Encoder.load(model)) {
            alone = encoder.info().weightBytesTotal();
            vector = encoder.embed("the cat sleeps");
        }
        try (Classifier classifier = Classifier.load(model)) {
            labels = classifier.classify("the cat sleeps");
        }
        try (LoadedModel all =
                ModelLoader.of(model).open(Task.EMBEDDING, Task.CLASSIFICATION, Task.RERANKING)) {
            long together = all.info().weightBytesTotal();
            // A head of its own takes two small matrices, far from a second copy.
            assertTrue(together < alone * 1.3, alone + " alone, together " + together);
            Encoder encoder = all.encoder();
            Reranker reranker = all.reranker();
            Classifier classifier = all.classifier();
            List<Ranked> ranked = reranker.rank("a cat", List.of("the rug", "a cat sleeps", "on"));
            for (int i = 0; i < 20; i++) {
                assertArrayEquals(vector, encoder.embed("the cat sleeps"));
                assertEquals(
                        ranked, reranker.rank("a cat", List.of("the rug", "a cat sleeps", "on")));
                assertEquals(labels, classifier.classify("the cat sleeps"));
            }
            classifier.close();
            assertThrows(IllegalStateException.class, () -> encoder.embed("a"));
            assertThrows(IllegalStateException.class, () -> reranker.rank("a", List.of("b")));
        }
    }

    @Test
    void labelsAreRankedProbabilities() {
        SmallModel.write(folder, SmallModel.BERT, 2, Task.CLASSIFICATION);
        try (Classifier classifier = Classifier.load(folder)) {
            assertEquals(List.of("O", "B-PER", "I-PER"), classifier.labels());
            Outcome<List<Label>> outcome =
                    classifier.run(List.of("the cat", SmallModel.words(90), ""));
            assertEquals(1, outcome.truncated());
            assertEquals(0, outcome.chunked());
            assertArrayEquals(new int[] {4, SmallModel.POSITIONS, 2}, outcome.tokens());
            for (List<Label> labels : outcome.results()) {
                double sum = 0;
                for (int i = 0; i < 3; i++) {
                    sum += labels.get(i).score();
                    assertTrue(i == 0 || labels.get(i - 1).score() >= labels.get(i).score());
                }
                assertEquals(1, sum, 1e-6);
            }
            float[] scores = classifier.scores(List.of("the cat")).results().getFirst();
            int best = 0;
            for (int i = 1; i < 3; i++) {
                best = scores[i] > scores[best] ? i : best;
            }
            assertEquals(
                    classifier.labels().get(best), outcome.results().getFirst().getFirst().name());
            assertTrue(
                    !classifier
                            .classify("the cat", "a rug")
                            .equals(classifier.classify("a rug", "the cat")));
        }
    }

    @Test
    void severalLabelsMayHoldWhereTheModelSaysSo() {
        String config =
                SmallModel.BERT.replace(
                        "\"id2label\"",
                        "\"problem_type\": \"multi_label_classification\", \"id2label\"");
        SmallModel.write(folder, config, 2, Task.CLASSIFICATION);
        try (Classifier classifier = Classifier.load(folder)) {
            float[] scores = classifier.scores(List.of("the cat")).results().getFirst();
            for (Label label : classifier.classify("the cat")) {
                double score = scores[classifier.labels().indexOf(label.name())];
                assertEquals(1 / (1 + Math.exp(-score)), label.score(), 1e-6);
            }
        }
    }

    @Test
    void longTextsAreReadInPartsOfTheirIds() {
        SmallModel.write(folder, SmallModel.BERT, 3, Task.CLASSIFICATION);
        String text = SmallModel.words(100);
        try (LoadedModel model =
                ModelLoader.of(folder)
                        .longTexts(LongTexts.CHUNK)
                        .maxTokens(42)
                        .open(Task.EMBEDDING, Task.CLASSIFICATION)) {
            Embeddings embedded = model.encoder().run(List.of("a cat", text));
            assertEquals(1, embedded.chunked());
            assertEquals(0, embedded.truncated());
            // 40 + 40 + 20 words, each part with its own two special tokens.
            assertArrayEquals(new int[] {4, 106}, embedded.tokens());
            TokenBatch parts = new TokenBatch();
            assertEquals(3, model.tokenizer().encodeParts(text, 42, 0, parts));
            double[] sum = new double[24];
            float[] scores = new float[3];
            for (String part :
                    List.of(words(text, 0, 40), words(text, 40, 80), words(text, 80, 100))) {
                int tokens = part.split(" ").length + 2;
                float[] vector = model.encoder().embed(part);
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += tokens * vector[i];
                }
                float[] row = model.classifier().scores(List.of(part)).results().getFirst();
                for (int i = 0; i < 3; i++) {
                    scores[i] += row[i] * tokens / 106f;
                }
            }
            double length = 0;
            for (double x : sum) {
                length += x * x;
            }
            for (int i = 0; i < sum.length; i++) {
                assertEquals(sum[i] / Math.sqrt(length), embedded.vectors()[1][i], 1e-6);
            }
            assertArrayEquals(
                    scores, model.classifier().scores(List.of(text)).results().getFirst(), 1e-5f);
        }
    }

    private static String words(String text, int from, int to) {
        return String.join(" ", List.of(text.split(" ")).subList(from, to));
    }

    /** What sentence-transformers files say of a limit is about embedding alone. */
    @Test
    void eachTaskReadsAsMuchAsItsFilesSay() throws IOException {
        SmallModel.write(folder, SmallModel.BERT, 3, Task.CLASSIFICATION);
        Files.writeString(folder.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 20}");
        List<String> texts = List.of(SmallModel.words(90));
        float[] alone;
        try (Encoder encoder = Encoder.load(folder)) {
            alone = encoder.run(texts).vectors()[0];
        }
        try (LoadedModel model = ModelLoader.of(folder).open(Task.EMBEDDING, Task.CLASSIFICATION)) {
            Embeddings embedded = model.encoder().run(texts);
            assertArrayEquals(new int[] {20}, embedded.tokens());
            assertArrayEquals(alone, embedded.vectors()[0]);
            assertArrayEquals(
                    new int[] {SmallModel.POSITIONS}, model.classifier().run(texts).tokens());
        }
    }

    @Test
    void relevanceOfALongTextIsThatOfItsBestPart() {
        SmallModel.write(folder, SmallModel.oneLabel(SmallModel.BERT), 4, Task.RERANKING);
        String text = SmallModel.words(70);
        try (Reranker reranker =
                ModelLoader.of(folder)
                        .longTexts(LongTexts.CHUNK)
                        .maxTokens(44)
                        .open(Task.RERANKING)
                        .reranker()) {
            Outcome<Float> scored = reranker.scores(List.of(new TextPair("a cat", text)));
            assertEquals(1, scored.chunked());
            // 44 tokens less three special ones and the query's two.
            float best =
                    Math.max(
                            score(reranker, words(text, 0, 39)),
                            score(reranker, words(text, 39, 70)));
            assertEquals(best, scored.results().getFirst());
            String tooLong = SmallModel.words(60);
            TokenizerException e =
                    assertThrows(
                            TokenizerException.class,
                            () -> reranker.scores(List.of(new TextPair(tooLong, text))));
            assertTrue(e.getMessage().contains("shorten the first text"), e::getMessage);
        }
        try (Reranker reranker = Reranker.load(folder)) {
            Outcome<Float> cut = reranker.run(List.of(new TextPair(SmallModel.words(60), text)));
            assertEquals(1, cut.truncated());
            assertArrayEquals(new int[] {SmallModel.POSITIONS}, cut.tokens());
        }
    }

    @Test
    void aWarmBatchReadsPairsWithoutAllocating() {
        SmallModel.write(folder, SmallModel.oneLabel(SmallModel.BERT), 4, Task.RERANKING);
        TextPair pair = new TextPair("a cat", SmallModel.words(300));
        try (LoadedModel model = ModelLoader.of(folder).open(Task.RERANKING)) {
            for (LongTexts longTexts : LongTexts.values()) {
                TokenBatch batch = new TokenBatch();
                long allocated = Long.MAX_VALUE;
                for (int round = 0; round < 5; round++) {
                    long before = Allocation.bytes();
                    for (int i = 0; i < 100; i++) {
                        batch.clear();
                        model.reader().pair(pair, longTexts, batch);
                    }
                    allocated = Math.min(allocated, Allocation.bytes() - before);
                }
                assertEquals(longTexts == LongTexts.CHUNK ? 7 : 1, batch.sequences());
                // Asking for the count allocates a little itself.
                assertTrue(allocated < 3000, longTexts + ", bytes for 100 pairs: " + allocated);
            }
        }
    }

    private static float score(Reranker reranker, String text) {
        return reranker.scores(List.of(new TextPair("a cat", text))).results().getFirst();
    }

    @Test
    void everyTokenHasOneLabelHoweverTheTextIsParted() {
        SmallModel.write(folder, SmallModel.MODERNBERT, 5, Task.TOKEN_CLASSIFICATION);
        String text = SmallModel.words(133);
        try (TokenClassifier classifier =
                ModelLoader.of(folder)
                        .longTexts(LongTexts.CHUNK)
                        .open(Task.TOKEN_CLASSIFICATION)
                        .tokenClassifier()) {
            Outcome<List<TokenLabel>> outcome = classifier.run(List.of(text, "the cat", ""));
            assertEquals(1, outcome.chunked());
            List<TokenLabel> labels = outcome.results().getFirst();
            List<String> words = new ArrayList<>();
            labels.forEach(label -> words.add(text.substring(label.start(), label.end())));
            assertEquals(List.of(text.split(" ")), words);
            assertEquals(2, outcome.results().get(1).size());
            assertEquals(List.of(), outcome.results().get(2));
        }
    }

    @Test
    void marksOfTokensJoinToEntities() {
        String text = "Ada Byron met Bob in Ely";
        List<TokenLabel> tokens =
                List.of(
                        new TokenLabel("B-PER", 0.5f, 0, 3),
                        new TokenLabel("I-PER", 1f, 4, 9),
                        new TokenLabel("O", 1f, 10, 13),
                        new TokenLabel("I-PER", 0.25f, 14, 17),
                        new TokenLabel("O", 1f, 18, 20),
                        new TokenLabel("B-LOC", 1f, 21, 22),
                        new TokenLabel("B-LOC", 1f, 22, 24));
        assertEquals(
                List.of(
                        new Entity("PER", 0.75f, "Ada Byron", 0, 9),
                        new Entity("PER", 0.25f, "Bob", 14, 17),
                        new Entity("LOC", 1f, "E", 21, 22),
                        new Entity("LOC", 1f, "ly", 22, 24)),
                Entity.of(text, tokens));
        assertEquals(
                List.of(new Entity("X", 1f, "Ada Byron", 0, 9)),
                Entity.of(
                        text,
                        List.of(new TokenLabel("X", 1f, 0, 3), new TokenLabel("X", 1f, 4, 9))));
    }

    /** A byte-level token holds the blank before its word. */
    @Test
    void entitiesNeitherBeginNorEndWithBlanks() {
        String text = "So Ada Byron met\u00a0\tBob ";
        assertEquals(
                List.of(
                        new Entity("PER", 1f, "Ada Byron", 3, 12),
                        new Entity("PER", 0.5f, "Bob", 18, 21)),
                Entity.of(
                        text,
                        List.of(
                                new TokenLabel("O", 1f, 0, 2),
                                new TokenLabel("B-PER", 1f, 2, 6),
                                new TokenLabel("I-PER", 1f, 6, 12),
                                new TokenLabel("O", 1f, 12, 16),
                                new TokenLabel("B-PER", 0.5f, 16, 22))));
        assertEquals(
                List.of(),
                Entity.of(text, List.of(new TokenLabel("X", 1f, 2, 3))),
                "blanks alone are no entity");
    }

    @Test
    void anAnswerIsFoundInTheBestOfOverlappingParts() {
        SmallModel.write(folder, SmallModel.ALBERT, 6, Task.QUESTION_ANSWERING);
        String text = SmallModel.words(120);
        try (QuestionAnswerer answerer = QuestionAnswerer.load(folder)) {
            Outcome<Answer> outcome = answerer.run(List.of(new TextPair("the cat", text)));
            assertEquals(1, outcome.chunked());
            Answer whole = outcome.results().getFirst();
            assertEquals(text.substring(whole.start(), whole.end()), whole.text());
            // Parts of 48 tokens less five, each beginning with the last 12 of the one before.
            float best = Float.NEGATIVE_INFINITY;
            float nullScore = Float.POSITIVE_INFINITY;
            for (int from = 0; from + 12 < 120; from += 43 - 12) {
                String part = words(text, from, Math.min(120, from + 43));
                Answer answer = answerer.answer("the cat", part);
                best = Math.max(best, answer.score());
                nullScore = Math.min(nullScore, answer.nullScore());
            }
            assertEquals(best, whole.score(), 1e-5f);
            assertEquals(nullScore, whole.nullScore(), 1e-5f);
            assertEquals(whole.score() > whole.nullScore(), whole.isAnswered());
            assertEquals(
                    1 / (1 + Math.exp((double) whole.score() - whole.nullScore())),
                    whole.noAnswerProbability(),
                    1e-6);
            Answer none = answerer.answer("the cat", "");
            assertEquals("", none.text());
            assertTrue(!none.isAnswered() && none.noAnswerProbability() == 1);
            assertThrows(
                    TokenizerException.class, () -> answerer.answer(SmallModel.words(50), text));
        }
    }

    @Test
    void aMissingHeadIsNamedAndMayBeRandom() {
        SmallModel.write(folder, SmallModel.BERT, 8);
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Classifier.load(folder));
        assertTrue(e.getMessage().contains("the head is missing"), e::getMessage);
        assertTrue(e.getMessage().contains("'classifier.weight'"), e::getMessage);
        assertTrue(e.getMessage().contains("'pooler.dense.bias'"), e::getMessage);
        CheckpointException reranking =
                assertThrows(CheckpointException.class, () -> Reranker.load(folder));
        assertEquals(e.getMessage(), reranking.getMessage(), "it is no classifier either");
        ModelLoader loader = ModelLoader.of(folder).randomHead(true);
        List<Label> first;
        try (Classifier classifier = loader.open(Task.CLASSIFICATION).classifier()) {
            first = classifier.classify("the cat");
            assertEquals(3, first.size());
        }
        try (Classifier classifier = loader.open(Task.CLASSIFICATION).classifier()) {
            assertEquals(first, classifier.classify("the cat"), "random, but always the same");
        }
    }

    @Test
    void aClassifierIsNoReranker() {
        SmallModel.write(folder, SmallModel.BERT, 9, Task.CLASSIFICATION);
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Reranker.load(folder));
        assertTrue(e.getMessage().contains("this one has 3, [O, B-PER, I-PER]"), e::getMessage);
        try (LoadedModel model = ModelLoader.of(folder).open(Task.CLASSIFICATION)) {
            IllegalStateException wrong = assertThrows(IllegalStateException.class, model::encoder);
            assertTrue(wrong.getMessage().contains("not for EMBEDDING"), wrong::getMessage);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"1\": \"A\"}",
                "{}",
                "{\"0\": 5}",
                "[]",
                "{\"0\": \"A\", \"x\": \"B\"}",
            })
    void labelsWithoutSenseAreRefused(String labels) {
        SmallModel.write(folder, SmallModel.BERT, 10, Task.CLASSIFICATION);
        String config = SmallModel.BERT.replaceFirst("\\{\"0\".*?\\}", labels);
        assertThrows(
                CheckpointException.class,
                () ->
                        Labels.of(
                                ModelConfig.parse(
                                        "config.json", config.getBytes(StandardCharsets.UTF_8))));
    }

    /** As frameworks write them: the encoder's and the pooler's behind a prefix, heads without. */
    @Test
    void headsStandBesideAPrefixedEncoder() throws IOException {
        Path plain = folder.resolve("plain");
        Path prefixed = folder.resolve("prefixed");
        SmallModel.write(plain, SmallModel.BERT, 13, Task.CLASSIFICATION, Task.FILL_MASK);
        SmallModel.write(prefixed, SmallModel.BERT, 14);
        try (Checkpoint checkpoint = Safetensors.open(plain)) {
            List<StoredTensor> renamed = new ArrayList<>();
            for (StoredTensor tensor : checkpoint.tensors()) {
                String name =
                        tensor.name()
                                .replace("cls.predictions.bias", "cls.predictions.decoder.bias");
                boolean isHead = name.startsWith("cls.") || name.startsWith("classifier.");
                String spelled = isHead ? name : "bert." + name;
                renamed.add(
                        new StoredTensor(spelled, tensor.type(), tensor.extents(), tensor.bytes()));
            }
            SafetensorsWriter.write(prefixed.resolve("model.safetensors"), renamed, Map.of());
        }
        try (LoadedModel one = ModelLoader.of(plain).open(Task.CLASSIFICATION, Task.FILL_MASK);
                LoadedModel other =
                        ModelLoader.of(prefixed).open(Task.CLASSIFICATION, Task.FILL_MASK)) {
            assertEquals(
                    one.classifier().classify("the cat"), other.classifier().classify("the cat"));
            assertEquals(
                    one.maskFiller().fill("the [MASK]", 9),
                    other.maskFiller().fill("the [MASK]", 9));
        }
    }
}

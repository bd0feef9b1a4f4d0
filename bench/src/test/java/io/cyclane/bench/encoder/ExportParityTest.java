package io.cyclane.bench.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.cyclane.model.Answer;
import io.cyclane.model.Capacity;
import io.cyclane.model.Classifier;
import io.cyclane.model.Encoder;
import io.cyclane.model.LoadedModel;
import io.cyclane.model.MaskFiller.Guess;
import io.cyclane.model.ModelLoader;
import io.cyclane.model.OnnxExport;
import io.cyclane.model.OnnxExport.Form;
import io.cyclane.model.RandomModel;
import io.cyclane.model.Task;
import io.cyclane.model.TokenLabel;
import io.cyclane.model.text.Encoding;
import io.cyclane.model.text.TokenBatch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every architecture against ONNX Runtime on our export of it: random weights of fixed seeds,
 * ragged batches, every head.
 */
class ExportParityTest {
    private static final double LEAST_COSINE = 0.99999;

    /** Of the root mean square: two runs in F32 whose sums are in different orders. */
    private static final double MOST_ERROR = 1e-4;

    /** Of all true shapes. */
    private static final int LEAST_VOCABULARY = 30_000;

    private static final String BERT =
            """
            {"model_type": "bert", "vocab_size": 64, "hidden_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "intermediate_size": 100, "max_position_embeddings": 80,
             "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
             "id2label": {"0": "O", "1": "B-X", "2": "I-X"}}
            """;

    /** Texts of 80 tokens take 82 places, for the first two are nobody's. */
    private static final String ROBERTA =
            """
            {"model_type": "roberta", "vocab_size": 64, "hidden_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "intermediate_size": 100, "max_position_embeddings": 82,
             "pad_token_id": 1, "type_vocab_size": 2, "hidden_act": "gelu",
             "layer_norm_eps": 1e-5, "id2label": {"0": "O", "1": "B-X", "2": "I-X"}}
            """;

    private static final String ALBERT =
            """
            {"model_type": "albert", "vocab_size": 64, "embedding_size": 20, "hidden_size": 48,
             "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 100,
             "max_position_embeddings": 80, "type_vocab_size": 2, "hidden_act": "gelu_new",
             "id2label": {"0": "O", "1": "B-X", "2": "I-X"}}
            """;
    private static final String MODERNBERT =
            """
            {"model_type": "modernbert", "vocab_size": 64, "hidden_size": 48,
             "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 72,
             "max_position_embeddings": 80, "local_attention": 16, "hidden_activation": "gelu",
             "classifier_pooling": "mean", "id2label": {"0": "O", "1": "B-X", "2": "I-X"}}
            """;

    private static final String MODERNALBERT =
            """
            {"model_type": "ModernALBERT", "vocab_size": 64, "embedding_size": 20,
             "hidden_size": 48, "num_hidden_layers": 4, "group_depth": 2, "expert_groups": [2],
             "num_attention_heads": 4, "intermediate_size": 72, "num_experts": 4, "top_k": 2,
             "lora_rank": 4, "lora_alpha": 8, "max_position_embeddings": 80,
             "hidden_act": "gelu", "id2label": {"0": "O", "1": "B-X", "2": "I-X"}}
            """;

    private static final Task[] HEADS = {
        Task.CLASSIFICATION, Task.TOKEN_CLASSIFICATION, Task.FILL_MASK
    };

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {BERT, ROBERTA, ALBERT, MODERNBERT, MODERNALBERT})
    void vectorsAgree(String config) throws Exception {
        write(config, 64, 7);
        int[] lengths = {1, 2, 7, 16, 17, 33, 80, 5, 64};
        for (Form form : Form.values()) {
            agrees(form, batch(lengths, 64), 80);
        }
    }

    /** What is measured: one padded batch, whose biases and places are broadcast over its texts. */
    @ParameterizedTest
    @ValueSource(strings = {BERT, ROBERTA, ALBERT, MODERNBERT, MODERNALBERT})
    void paddedBatchesAgreeInBothForms(String config) throws Exception {
        write(config, 64, 7);
        TokenBatch batch = batch(new int[] {33, 1, 80, 16, 17}, 64);
        double[][] wanted = new double[batch.sequences()][];
        for (Form form : Form.values()) {
            Path file = folder.resolve(form + ".onnx");
            OnnxExport.write(folder.toString(), Task.EMBEDDING, file, form, false);
            try (OrtSession session =
                    OrtEnvironment.getEnvironment().createSession(file.toString())) {
                float[][] together = run(session, "sentence_embedding", batch);
                for (int s = 0; form == Form.STANDARD && s < wanted.length; s++) {
                    float[] alone = run(session, "sentence_embedding", Parity.single(batch, s))[0];
                    wanted[s] = new double[alone.length];
                    for (int i = 0; i < alone.length; i++) {
                        wanted[s][i] = alone[i];
                    }
                }
                Parity.Agreement agreement = Parity.compare(together, wanted);
                System.out.printf("%s, padded: %s%n", form, agreement);
                assertTrue(agreement.minCosine() >= LEAST_COSINE, agreement::toString);
                assertTrue(agreement.maxError() <= MOST_ERROR, agreement::toString);
            }
        }
    }

    /** Trained numbers, rounded to F16, and a whole small checkpoint. */
    @ParameterizedTest
    @CsvSource({"tinybert-4l-312d,512,128", "tribuo-bert-1l,1656,100"})
    void storedCheckpointsAgree(String name, int vocabulary, int longest) throws Exception {
        Path root = Path.of("").toAbsolutePath();
        while (root != null && !Files.isDirectory(root.resolve(".mvn"))) {
            root = root.getParent();
        }
        Path model = root == null ? null : root.resolve("../shared/data/models/" + name);
        if (model == null || !Files.isDirectory(model)) {
            System.out.println("skipped: there is no ../shared/data/models/" + name);
        }
        assumeTrue(model != null && Files.isDirectory(model), name + " is not there");
        beside(64);
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(model.resolve(file), folder.resolve(file));
        }
        int[] lengths = new Random(9).ints(40, 1, longest + 1).toArray();
        agrees(Form.STANDARD, batch(lengths, vocabulary), longest);
    }

    /** The same texts, one padded batch there, ragged here: what facades make of each head. */
    @ParameterizedTest
    @ValueSource(strings = {BERT, ROBERTA, ALBERT, MODERNBERT, MODERNALBERT})
    void everyHeadAgrees(String config) throws Exception {
        write(config, 64, 11);
        List<String> texts = List.of("ab cab", "b", "f e d c b a f e d c b a f e d", "cc aa");
        try (LoadedModel model = ModelLoader.of(folder).open(Task.EMBEDDING, HEADS)) {
            TokenBatch batch = new TokenBatch();
            texts.forEach(text -> model.tokenizer().encode(text, 80, batch));
            Classifier classifier = model.classifier();
            List<float[]> scores = classifier.scores(texts).results();
            float[][] theirs = rows(Task.CLASSIFICATION, "logits", batch);
            for (int s = 0; s < texts.size(); s++) {
                agree("classification", scores.get(s), theirs[s]);
            }
            labelsAgree(model, texts, batch);
            masksAgree(model);
        }
        // Another file: this head has the names of the classifier's in ModernBERT's checkpoints.
        RandomModel.write(folder, 12, Task.QUESTION_ANSWERING);
        try (LoadedModel model = ModelLoader.of(folder).open(Task.QUESTION_ANSWERING)) {
            answersAgree(model);
        }
    }

    private void labelsAgree(LoadedModel model, List<String> texts, TokenBatch batch)
            throws Exception {
        float[][] theirs = rows(Task.TOKEN_CLASSIFICATION, "logits", batch);
        List<List<TokenLabel>> ours = model.tokenClassifier().run(texts).results();
        for (int s = 0; s < texts.size(); s++) {
            assertEquals(batch.length(s) - 2, ours.get(s).size());
            for (int t = 0; t < ours.get(s).size(); t++) {
                double[] expected = softmax(theirs[s], 3 * (t + 1), 3);
                TokenLabel label = ours.get(s).get(t);
                int id = model.tokenClassifier().labels().indexOf(label.label());
                assertEquals(expected[id], label.score(), 1e-4, "text " + s + " token " + t);
                assertTrue(expected[id] >= max(expected) - 1e-4);
            }
        }
    }

    private void masksAgree(LoadedModel model) throws Exception {
        String text = "ab " + model.maskFiller().mask() + " c " + model.maskFiller().mask();
        TokenBatch batch = new TokenBatch();
        model.tokenizer().encode(text, 80, batch);
        float[] theirs = rows(Task.FILL_MASK, "logits", batch)[0];
        int masks = 0;
        int vocabulary = theirs.length / batch.tokens();
        for (int t = 0; t < batch.tokens(); t++) {
            if (batch.ids()[t] == model.tokenizer().id("[MASK]")) {
                double[] expected = softmax(theirs, t * vocabulary, vocabulary);
                for (Guess guess : model.maskFiller().fill(text, 5).get(masks)) {
                    assertEquals(expected[guess.id()], guess.score(), 1e-5);
                }
                double best = model.maskFiller().fill(text, 1).get(masks).getFirst().score();
                assertEquals(max(expected), best, 1e-5);
                masks++;
            }
        }
        assertEquals(2, masks);
    }

    private void answersAgree(LoadedModel model) throws Exception {
        String question = "ab c";
        String text = "f e d c b a f e d c b a f e d";
        Encoding pair = model.tokenizer().encode(question, text, 80);
        TokenBatch batch = new TokenBatch();
        batch.add(pair);
        float[] theirs = rows(Task.QUESTION_ANSWERING, "logits", batch)[0];
        double best = Double.NEGATIVE_INFINITY;
        int start = -1;
        int end = -1;
        for (int from = 0; from < pair.ids().length; from++) {
            for (int to = from; to < Math.min(pair.ids().length, from + 30); to++) {
                double score = theirs[2 * from] + theirs[2 * to + 1];
                boolean isText = pair.texts()[from] == 1 && pair.texts()[to] == 1;
                if (isText && score > best) {
                    best = score;
                    start = pair.starts()[from];
                    end = pair.ends()[to];
                }
            }
        }
        Answer answer = model.questionAnswerer().answer(question, text);
        assertEquals(best, answer.score(), 1e-4);
        assertEquals(theirs[0] + theirs[1], answer.nullScore(), 1e-4);
        assertEquals(text.substring(start, end), answer.text());
    }

    /** What a wrong export or a wrong model would give is told from what is right. */
    @Test
    void aWrongWindowIsSeen() throws Exception {
        write(MODERNBERT, 64, 7);
        Path file = folder.resolve("right.onnx");
        OnnxExport.write(folder.toString(), Task.EMBEDDING, file, Form.STANDARD, false);
        Files.writeString(
                folder.resolve("config.json"),
                MODERNBERT.replace("\"local_attention\": 16", "\"local_attention\": 18"));
        double error = compare(file, batch(new int[] {64, 30}, 64), 80).maxError();
        assertTrue(error > MOST_ERROR, "e is " + error);
    }

    @Tag("long")
    @ParameterizedTest
    @EnumSource(ModelShape.class)
    void trueShapesAgree(ModelShape shape) throws Exception {
        shape.write(folder, 1);
        int longest = Math.min(shape.positions(), 2048);
        int[] lengths = new Random(3).ints(50, 1, longest + 1).toArray();
        lengths[0] = 1;
        lengths[1] = longest;
        // Fused: the standard form keeps several products of all tokens with all at once, and takes
        // minutes over it.
        agrees(Form.FUSED, batch(lengths, LEAST_VOCABULARY), longest);
        if (shape == ModelShape.MODERNBERT_BASE) {
            int[] few = new int[3];
            Arrays.fill(few, shape.positions());
            agrees(Form.FUSED, batch(few, LEAST_VOCABULARY), shape.positions());
        }
    }

    private void write(String config, int vocabulary, long seed) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        beside(vocabulary);
        RandomModel.write(folder, seed, HEADS);
    }

    /** Writes a word list, and that a text's vector is its tokens' mean scaled to length 1. */
    private void beside(int size) throws IOException {
        ModelShape.writeSentenceSettings(folder);
        StringBuilder pieces = new StringBuilder("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
        for (int i = 0; i < size - 5; i++) {
            String piece = Character.toString((char) ('a' + i / 2 % 26));
            pieces.append(i % 2 == 0 ? piece : "##" + piece).append(i >= 52 ? i : "").append('\n');
        }
        Files.writeString(folder.resolve("vocab.txt"), pieces);
    }

    private static TokenBatch batch(int[] lengths, int vocabulary) {
        TokenBatch batch = new TokenBatch();
        Random random = new Random(5);
        for (int length : lengths) {
            batch.add(random.ints(length, 0, vocabulary).toArray());
        }
        return batch;
    }

    private void agrees(Form form, TokenBatch batch, int longest) throws Exception {
        Path file = folder.resolve(form + ".onnx");
        OnnxExport.write(folder.toString(), Task.EMBEDDING, file, form, false);
        Parity.Agreement agreement = compare(file, batch, longest);
        System.out.printf("%s, %d tokens: %s%n", form, batch.tokens(), agreement);
        assertTrue(agreement.minCosine() >= LEAST_COSINE, agreement::toString);
        assertTrue(agreement.maxError() <= MOST_ERROR, agreement::toString);
    }

    /** Text by text there, so that padding plays no part where texts are long. */
    private Parity.Agreement compare(Path file, TokenBatch batch, int longest) throws Exception {
        int sequences = batch.sequences();
        float[][] ours = new float[sequences][];
        double[][] theirs = new double[sequences][];
        Capacity capacity = new Capacity(Math.max(longest, 256), 16);
        try (Encoder encoder = Encoder.builder(folder.toString()).capacity(capacity).load();
                Arena memory = Arena.ofConfined()) {
            int width = encoder.dimension();
            MemorySegment vectors = memory.allocate(4L * sequences * width, 4);
            encoder.embed(batch, vectors);
            for (int s = 0; s < sequences; s++) {
                ours[s] =
                        vectors.asSlice(4L * s * width, 4L * width).toArray(ValueLayout.JAVA_FLOAT);
            }
        }
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file.toString())) {
            for (int s = 0; s < sequences; s++) {
                float[] row = run(session, "sentence_embedding", Parity.single(batch, s))[0];
                theirs[s] = new double[row.length];
                for (int i = 0; i < row.length; i++) {
                    theirs[s][i] = row[i];
                }
            }
        }
        return Parity.compare(ours, theirs);
    }

    private float[][] rows(Task task, String output, TokenBatch batch) throws Exception {
        Path file = folder.resolve(task + ".onnx");
        OnnxExport.write(folder.toString(), task, file, Form.STANDARD, false);
        try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file.toString())) {
            return run(session, output, batch);
        }
    }

    private static int longest(TokenBatch batch) {
        int longest = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            longest = Math.max(longest, batch.length(s));
        }
        return longest;
    }

    /** {@return for each text, what an output holds for it, padding and all} */
    private static float[][] run(OrtSession session, String output, TokenBatch batch)
            throws OrtException {
        int longest = longest(batch);
        int sequences = batch.sequences();
        long[] ids = new long[sequences * longest];
        long[] mask = new long[ids.length];
        long[] types = new long[ids.length];
        for (int s = 0; s < sequences; s++) {
            for (int t = 0; t < batch.length(s); t++) {
                ids[s * longest + t] = batch.ids()[batch.offsets()[s] + t];
                types[s * longest + t] = batch.typeIds()[batch.offsets()[s] + t];
                mask[s * longest + t] = 1;
            }
        }
        Map<String, long[]> values =
                Map.of("input_ids", ids, "attention_mask", mask, "token_type_ids", types);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
            for (String name : session.getInputNames()) {
                inputs.put(
                        name,
                        OnnxTensor.createTensor(
                                OrtEnvironment.getEnvironment(),
                                LongBuffer.wrap(values.get(name)),
                                new long[] {sequences, longest}));
            }
            try (OrtSession.Result result = session.run(inputs)) {
                float[] all =
                        ((OnnxTensor) result.get(output).orElseThrow()).getFloatBuffer().array();
                float[][] rows = new float[sequences][all.length / sequences];
                for (int s = 0; s < sequences; s++) {
                    System.arraycopy(all, s * rows[s].length, rows[s], 0, rows[s].length);
                }
                return rows;
            }
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    private static void agree(String what, float[] ours, float[] theirs) {
        double squares = 0;
        double most = 0;
        for (int i = 0; i < theirs.length; i++) {
            squares += (double) theirs[i] * theirs[i];
            most = Math.max(most, Math.abs((double) ours[i] - theirs[i]));
        }
        double error = most / Math.sqrt(squares / theirs.length);
        assertTrue(error <= MOST_ERROR, what + ": e is " + error);
    }

    private static double[] softmax(float[] scores, int from, int count) {
        double[] weights = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            weights[i] = Math.exp(scores[from + i]);
            sum += weights[i];
        }
        for (int i = 0; i < count; i++) {
            weights[i] /= sum;
        }
        return weights;
    }

    private static double max(double[] numbers) {
        double max = numbers[0];
        for (double x : numbers) {
            max = Math.max(max, x);
        }
        return max;
    }
}

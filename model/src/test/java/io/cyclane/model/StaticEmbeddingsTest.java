package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StaticEmbeddingsTest {
    private static final List<String> TEXTS =
            List.of(
                    "Rivers carry stones to the sea.",
                    "interest rates rose again, \u4e00\u4e8c\u4e09\u56db",
                    "word ".repeat(700));

    private static final List<String> WORDS = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");

    @TempDir Path folder;

    /** By hand: known tokens' rows, weighted, their mean over at most 512, scaled to length 1. */
    @ParameterizedTest
    @CsvSource({
        "model2vec-float32, model2vec-float32",
        "model2vec-float16, model2vec-float32",
        "model2vec-int8, model2vec-float32",
    })
    void sharedModelsGiveWeightedMeans(String name, String tokenizerOf) {
        Path model = TestModels.shared(name);
        Path tokenizer = TestModels.shared(tokenizerOf);
        try (Encoder encoder = Encoder.builder(model.toString()).tokenizer(tokenizer).load();
                Checkpoint checkpoint = Safetensors.open(model)) {
            Embeddings embedded = encoder.run(TEXTS);
            assertEquals(1, embedded.truncated());
            assertEquals(512, embedded.tokens()[2]);
            for (int i = 0; i < TEXTS.size(); i++) {
                double[] wanted = mean(checkpoint, Tokenizer.load(tokenizer), TEXTS.get(i));
                assertEquals(wanted.length, encoder.dimension());
                for (int j = 0; j < wanted.length; j++) {
                    assertEquals(wanted[j], embedded.vectors()[i][j], 1e-5, name + " " + i);
                }
            }
            assertArrayEquals(new float[encoder.dimension()], encoder.embed(""));
        }
    }

    /** Ids only: its tokenizer is of a kind that is read from a SentencePiece model. */
    @Test
    void mappedAndWeightedRowsAreGathered() throws IOException {
        Path model = TestModels.shared("model2vec-vocab-quantized");
        Path words = Files.write(folder.resolve("vocab.txt"), WORDS);
        int[] ids = TestModels.ids(300, 29_524, 1);
        TokenBatch batch = new TokenBatch();
        batch.add(ids);
        try (Encoder encoder = Encoder.builder(model.toString()).tokenizer(words).load();
                Checkpoint checkpoint = Safetensors.open(model);
                Arena memory = Arena.ofConfined()) {
            MemorySegment vector = memory.allocate(4L * encoder.dimension(), 4);
            encoder.embed(batch, vector);
            double[] wanted = mean(checkpoint, ids);
            for (int i = 0; i < wanted.length; i++) {
                assertEquals(wanted[i], vector.getAtIndex(ValueLayout.JAVA_FLOAT, i), 1e-5);
            }
        }
    }

    private static double[] mean(Checkpoint checkpoint, Tokenizer tokenizer, String text) {
        TokenBatch batch = new TokenBatch();
        tokenizer.encode(text, batch);
        int end = tokenizer.specials(false) / 2;
        return mean(
                checkpoint,
                Arrays.stream(batch.ids(), end, batch.tokens() - end)
                        .filter(id -> id != tokenizer.id("[UNK]"))
                        .limit(512)
                        .toArray());
    }

    private static double[] mean(Checkpoint checkpoint, int[] ids) {
        StoredTensor table = checkpoint.tensor("embeddings");
        int width = table.extent(1);
        double[] sum = new double[width];
        for (int id : ids) {
            long row = checkpoint.has("mapping") ? integer(checkpoint, "mapping", id) : id;
            double weight =
                    checkpoint.has("weights")
                            ? checkpoint
                                    .tensor("weights")
                                    .bytes()
                                    .get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * id)
                            : 1;
            for (int i = 0; i < width; i++) {
                sum[i] += weight * number(table, row * width + i);
            }
        }
        double length = 0;
        for (double x : sum) {
            length += x * x;
        }
        for (int i = 0; i < width; i++) {
            sum[i] /= Math.sqrt(length);
        }
        return sum;
    }

    private static long integer(Checkpoint checkpoint, String name, int at) {
        return checkpoint.tensor(name).bytes().get(ValueLayout.JAVA_INT_UNALIGNED, 4L * at);
    }

    private static double number(StoredTensor tensor, long at) {
        MemorySegment bytes = tensor.bytes();
        return switch (tensor.type()) {
            case F32 -> bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * at);
            case F16 -> Float.float16ToFloat(bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * at));
            default -> bytes.get(ValueLayout.JAVA_BYTE, at);
        };
    }

    @Test
    void longTextsMayBeReadWhole() {
        Path model = TestModels.shared("model2vec-float32");
        try (Encoder encoder =
                Encoder.builder(model.toString()).longTexts(LongTexts.CHUNK).load()) {
            Embeddings embedded = encoder.run(TEXTS);
            assertEquals(1, embedded.chunked());
            assertEquals(700, embedded.tokens()[2]);
        }
    }

    @Test
    void whatMakesNoSenseIsRefused() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"model2vec\"}");
        Files.write(folder.resolve("vocab.txt"), WORDS);
        StoredTensor table = tensor("embeddings", StoredType.F32, List.of(2L, 3L));
        refuses("must be a row per token", tensor("embeddings", StoredType.F32, List.of(6L)));
        refuses("no tensor 'embeddings'", tensor("other", StoredType.F32, List.of(2L, 3L)));
        refuses("its shape is [2, 3]", table, tensor("weights", StoredType.F32, List.of(5L)));
        refuses("must be an I32", table, tensor("mapping", StoredType.F32, List.of(5L)));
        refuses("its word table 2 rows", table);
        refuses(
                "unknown extra",
                tensor("embeddings", StoredType.F32, List.of(5L, 3L)),
                tensor("extra", StoredType.F32, List.of(1L)));
        byte[] mapping = {0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        refuses(
                "sends token 2 to row 2 of 2",
                table,
                new StoredTensor(
                        "mapping", StoredType.I32, List.of(5L), MemorySegment.ofArray(mapping)));
    }

    private static StoredTensor tensor(String name, StoredType type, List<Long> extents) {
        int elements = 1;
        for (long extent : extents) {
            elements *= (int) extent;
        }
        byte[] bytes = new byte[elements * type.bits() / 8];
        return new StoredTensor(name, type, extents, MemorySegment.ofArray(bytes));
    }

    private void refuses(String message, StoredTensor... tensors) {
        SafetensorsWriter.write(folder.resolve("model.safetensors"), List.of(tensors), Map.of());
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Encoder.load(folder).close());
        assertTrue(e.getMessage().contains(message), e::getMessage);
    }
}

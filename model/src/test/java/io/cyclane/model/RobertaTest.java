package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.MaskFiller.Guess;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * RoBERTa beside a BERT of the same numbers, whose position table has at place p the row that the
 * published formula gives RoBERTa's token there.
 */
class RobertaTest {
    private static final int PADDING = 1;
    private static final int ROWS = 48;
    private static final int LONGEST = ROWS - PADDING - 1;
    private static final String CONFIG = SmallModel.ROBERTA;
    private static final Map<String, String> NAMES =
            Map.of(
                    "lm_head.dense", "cls.predictions.transform.dense",
                    "lm_head.layer_norm", "cls.predictions.transform.LayerNorm",
                    "lm_head.bias", "cls.predictions.bias",
                    "classifier.dense", "pooler.dense",
                    "classifier.out_proj", "classifier");
    private static final String TABLE = "embeddings.position_embeddings.weight";

    @TempDir Path folder;

    private Path roberta;
    private Path bert;

    @BeforeEach
    void write() throws IOException {
        roberta = folder.resolve("roberta");
        bert = folder.resolve("bert");
        SmallModel.write(roberta, CONFIG, 3, Task.CLASSIFICATION, Task.FILL_MASK);
        String config =
                CONFIG.replace("\"roberta\"", "\"bert\"")
                        .replace(
                                "\"max_position_embeddings\": 48",
                                "\"max_position_embeddings\": 46");
        SmallModel.write(bert, config, 4);
        List<StoredTensor> stored = new ArrayList<>();
        List<StoredTensor> renamed = new ArrayList<>();
        try (Checkpoint checkpoint = Safetensors.open(roberta)) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                boolean isHead = NAMES.keySet().stream().anyMatch(tensor.name()::startsWith);
                // As the authors' own checkpoints spell them.
                String prefixed = isHead ? tensor.name() : "roberta." + tensor.name();
                String spelled = prefixed.replace("lm_head.bias", "lm_head.decoder.bias");
                stored.add(with(tensor, spelled, copy(tensor.bytes())));
                renamed.add(
                        tensor.name().equals(TABLE)
                                ? byFormula(tensor)
                                : with(tensor, bertName(tensor.name()), copy(tensor.bytes())));
            }
        }
        stored.add(
                new StoredTensor(
                        "roberta.embeddings.position_ids",
                        StoredType.I64,
                        List.of(1L, 1L),
                        MemorySegment.ofArray(new byte[8])));
        SafetensorsWriter.write(roberta.resolve("model.safetensors"), stored, Map.of());
        SafetensorsWriter.write(bert.resolve("model.safetensors"), renamed, Map.of());
    }

    private static StoredTensor with(StoredTensor tensor, String name, MemorySegment bytes) {
        return new StoredTensor(name, tensor.type(), tensor.extents(), bytes);
    }

    private static MemorySegment copy(MemorySegment bytes) {
        return MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE));
    }

    private static String bertName(String name) {
        return NAMES.entrySet().stream()
                .filter(entry -> name.startsWith(entry.getKey()))
                .map(entry -> entry.getValue() + name.substring(entry.getKey().length()))
                .findFirst()
                .orElse(name);
    }

    /** The rows that the longest text's tokens take, in order. */
    private static StoredTensor byFormula(StoredTensor table) {
        long row = table.bytes().byteSize() / ROWS;
        MemorySegment rows = MemorySegment.ofArray(new byte[Math.toIntExact(row * LONGEST)]);
        int[] places = places(LONGEST, LONGEST + 3);
        for (int p = 0; p < LONGEST; p++) {
            MemorySegment.copy(table.bytes(), places[p] * row, rows, p * row, row);
        }
        return new StoredTensor(TABLE, table.type(), List.of((long) LONGEST, row / 4), rows);
    }

    /**
     * fairseq's {@code make_positions}: the number of tokens up to here that are not padding, plus
     * the padding's index; padding itself takes that index.
     */
    private static int[] places(int tokens, int padded) {
        int[] places = new int[padded];
        int seen = 0;
        for (int i = 0; i < padded; i++) {
            int isToken = i < tokens ? 1 : 0;
            seen += isToken;
            places[i] = seen * isToken + PADDING;
        }
        return places;
    }

    @Test
    void everyHeadGivesTheBitsOfABertWhosePlacesAreTheFormulas() {
        List<String> texts = List.of("cat", SmallModel.words(7), SmallModel.words(LONGEST - 2));
        Task[] tasks = {Task.EMBEDDING, Task.CLASSIFICATION, Task.FILL_MASK};
        try (LoadedModel ours = ModelLoader.of(roberta).open(tasks[0], tasks[1], tasks[2]);
                LoadedModel theirs = ModelLoader.of(bert).open(tasks[0], tasks[1], tasks[2])) {
            assertEquals("roberta", ours.info().architecture());
            assertEquals(LONGEST, ours.info().maxTokens());
            for (String text : texts) {
                assertArrayEquals(theirs.encoder().embed(text), ours.encoder().embed(text), text);
                assertArrayEquals(
                        theirs.classifier().scores(List.of(text)).results().getFirst(),
                        ours.classifier().scores(List.of(text)).results().getFirst(),
                        text);
            }
            List<List<Guess>> guesses = ours.maskFiller().fill("the [MASK] sleeps", 5);
            assertEquals(theirs.maskFiller().fill("the [MASK] sleeps", 5), guesses);
        }
    }

    @Test
    void placesBeginBehindThePaddings() {
        assertArrayEquals(new int[] {2, 3, 4, 1, 1}, places(3, 5));
    }

    @Test
    void aTableWithoutRoomForTokensIsRefused() throws IOException {
        Files.writeString(
                roberta.resolve("config.json"),
                CONFIG.replace("\"pad_token_id\": 1", "\"pad_token_id\": 47"));
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Encoder.load(roberta));
        assertTrue(
                e.getMessage().contains("'pad_token_id' 47 leaves no places of 48"), e::getMessage);
    }
}

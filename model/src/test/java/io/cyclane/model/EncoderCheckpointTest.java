package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.text.TokenizerException;
import io.cyclane.tensor.CyclaneException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checkpoints as they come: damaged ones give one clear error, all spellings of a good one load.
 */
class EncoderCheckpointTest {
    private static final String TEXT = "the cat sleeps on the rug";

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

    @Test
    void aMissingTensorIsNamed() {
        SmallBert bert = SmallBert.tiny(1);
        bert.tensors.remove("encoder.layer.0.output.dense.bias");
        bert.tensors.remove("encoder.layer.0.attention.self.key.weight");
        CyclaneException failed = assertRefused(bert);
        assertSays(failed, "missing 'encoder.layer.0.output.dense.bias'");
        assertSays(failed, "missing 'encoder.layer.0.attention.self.key.weight'");
    }

    @Test
    void aMisshapenTensorIsNamedWithBothShapes() {
        CyclaneException failed =
                assertRefused(
                        SmallBert.tiny(1)
                                .with("encoder.layer.0.intermediate.dense.weight", 24, 17));
        assertSays(failed, "'encoder.layer.0.intermediate.dense.weight' is [24, 17]");
        assertSays(failed, "[24, 16]");
    }

    @Test
    void unknownTensorsAreListedWithTheirShapes() {
        CyclaneException failed =
                assertRefused(
                        SmallBert.tiny(1)
                                .with("encoder.layer.1.output.dense.weight", 16, 24)
                                .with("adapter.scale", 3));
        assertSays(failed, "unknown encoder.layer.1.output.dense.weight F32 [16, 24]");
        assertSays(failed, "unknown adapter.scale F32 [3]");
    }

    @ParameterizedTest
    @MethodSource
    void numbersThatAreNoneAreNamed(float number) {
        SmallBert bert = SmallBert.tiny(1);
        bert.tensors.get("encoder.layer.0.output.dense.weight").numbers()[37] = number;
        CyclaneException failed = assertRefused(bert);
        assertSays(failed, "encoder.layer.0.output.dense.weight");
        assertSays(failed, "37");
    }

    static List<Float> numbersThatAreNoneAreNamed() {
        return List.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
    }

    @ParameterizedTest
    @MethodSource
    void aWrongConfigurationIsNamed(String key, Object value, String message) {
        SmallBert bert = SmallBert.tiny(1);
        bert.config.put(key, value);
        assertSays(assertRefused(bert), message);
    }

    static Stream<Object[]> aWrongConfigurationIsNamed() {
        return Stream.of(
                new Object[] {
                    "model_type", "mamba", "'model_type' is 'mamba'; known are albert, bert"
                },
                new Object[] {"num_attention_heads", 3, "16 can not be shared by 3 heads"},
                new Object[] {"num_attention_heads", 0, "'num_attention_heads' is 0"},
                new Object[] {"hidden_size", 0, "'hidden_size' is 0"},
                new Object[] {"hidden_size", -16, "'hidden_size' is -16"},
                new Object[] {"num_hidden_layers", 0, "'num_hidden_layers' is 0"},
                new Object[] {"num_hidden_layers", 2, "missing 'encoder.layer.1."},
                new Object[] {"vocab_size", 100, "embeddings.word_embeddings.weight"},
                new Object[] {"vocab_size", "many", "'vocab_size' must be an integer"},
                new Object[] {"hidden_act", "snake", "'hidden_act' is 'snake'"},
                new Object[] {"position_embedding_type", "relative_key", "relative_key"},
                new Object[] {"is_decoder", true, "is_decoder"});
    }

    @Test
    void aMissingSettingIsNamed() {
        SmallBert bert = SmallBert.tiny(1);
        bert.config.remove("intermediate_size");
        assertSays(assertRefused(bert), "'intermediate_size' is missing");
    }

    @Test
    void missingFilesAreNamed() throws IOException {
        for (String file : List.of("config.json", "model.safetensors", "vocab.txt")) {
            Path model = SmallBert.tiny(1).write(folder.resolve("without-" + file));
            Files.delete(model.resolve(file));
            CyclaneException failed =
                    assertThrows(CyclaneException.class, () -> Encoder.load(model), file);
            assertEquals(file.equals("vocab.txt"), failed instanceof TokenizerException);
            assertSays(failed, file.equals("model.safetensors") ? "safetensors" : file);
        }
        CyclaneException failed =
                assertThrows(
                        CheckpointException.class, () -> Encoder.load(folder.resolve("nowhere")));
        assertSays(failed, "nowhere");
        assertSays(failed, "minilm");
    }

    @Test
    void aCutFileIsRefusedWhereverItIsCut() throws IOException {
        Path model = SmallBert.tiny(1).write(folder);
        Path file = model.resolve("model.safetensors");
        long length = Files.size(file);
        for (long cut : new long[] {length - 1, length / 2, 100, 8, 7, 0}) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(cut);
            }
            assertThrows(CheckpointException.class, () -> Encoder.load(model), "cut at " + cut);
        }
    }

    @Test
    void aTokenizerOfAnotherModelIsRefused() throws IOException {
        Path model = SmallBert.tiny(1).write(folder);
        List<String> more = new ArrayList<>(SmallBert.vocabulary());
        more.add("extra");
        Files.write(model.resolve("vocab.txt"), more);
        CyclaneException failed =
                assertThrows(CheckpointException.class, () -> Encoder.load(model));
        assertSays(failed, "its tokenizer has %d tokens".formatted(more.size()));
        assertSays(failed, "its word table %d rows".formatted(more.size() - 1));
    }

    @Test
    void aModelUnderAPrefixWithHeadsLoads() {
        float[] plain = embed(SmallBert.tiny(2));
        SmallBert masked =
                SmallBert.tiny(2)
                        .prefixed("bert.")
                        .with("cls.predictions.bias", 80)
                        .with("cls.predictions.transform.dense.weight", 16, 16)
                        .with("cls.seq_relationship.weight", 2, 16)
                        .with("pooler.dense.weight", 16, 16);
        assertArrayEquals(plain, embed(masked));
    }

    @Test
    void normsNamedAsInTensorFlowLoad() {
        float[] plain = embed(SmallBert.tiny(2));
        SmallBert old = SmallBert.tiny(2).prefixed("bert.");
        for (String name : List.copyOf(old.tensors.keySet())) {
            String former =
                    name.replace("LayerNorm.weight", "LayerNorm.gamma")
                            .replace("LayerNorm.bias", "LayerNorm.beta");
            old.tensors.put(former, old.tensors.remove(name));
        }
        assertTrue(old.tensors.containsKey("embeddings.LayerNorm.gamma"));
        assertArrayEquals(plain, embed(old));
    }

    @ParameterizedTest
    @EnumSource(
            value = StoredType.class,
            names = {"F16", "BF16"})
    void shortFloatsLoadAsTheirWidenedForm(StoredType type) {
        float[] widened = embed(SmallBert.tiny(3).rounded(type));
        float[] stored = embed(SmallBert.tiny(3).write(folder.resolve(type.name()), type));
        assertArrayEquals(widened, stored);
        assertTrue(!Arrays.equals(embed(SmallBert.tiny(3)), stored), "rounding shows");
    }

    @Test
    void aFolderCalledLikeAnAliasIsTheFolder() {
        float[] plain = embed(SmallBert.tiny(4));
        Path named = SmallBert.tiny(4).write(folder.resolve("minilm"));
        Path relative = Path.of("").toAbsolutePath().relativize(named);
        assertArrayEquals(plain, embed(relative));
        Path bare = Path.of("minilm");
        assertSays(assertThrows(CheckpointException.class, () -> Encoder.load(bare)), "minilm");
    }

    private float[] embed(SmallBert bert) {
        return embed(bert.write(folder.resolve("model-" + System.nanoTime())));
    }

    private static float[] embed(Path model) {
        try (Encoder encoder = Encoder.load(model)) {
            return encoder.embed(TEXT);
        }
    }

    private CyclaneException assertRefused(SmallBert bert) {
        Path model = bert.write(folder);
        return assertThrows(CheckpointException.class, () -> Encoder.load(model));
    }

    private static void assertSays(CyclaneException failed, String part) {
        assertTrue(failed.getMessage().contains(part), failed::getMessage);
    }
}

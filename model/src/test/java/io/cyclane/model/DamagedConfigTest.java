package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.Mutations;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.tensor.CyclaneException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged settings of every architecture give a typed error or a model that can be recorded. */
class DamagedConfigTest {
    private static final String LATER_MODERNBERT =
            SmallModel.MODERNBERT.replace(
                    "\"local_attention\"",
                    """
                    "layer_types": ["full_attention", "sliding_attention", "full_attention",
                     "sliding_attention"], "rope_parameters": {
                     "full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                     "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}},
                     "local_attention\"\
                    """);

    private static final String ADAPTED_MODERNALBERT =
            SmallModel.MODERNALBERT.replace(
                    "\"num_experts\"",
                    """
                    "use_adapter": true, "adapter_reduction": 4, "router_per_round": true,
                     "use_moa": true, "moa_reduction_factor": 4, "rope_thetas": [2, 3, 4, 5, 6, 7],
                     "num_experts"\
                    """);

    private static final String MODEL2VEC =
            """
            {"model_type": "model2vec", "architectures": ["StaticModel"], "seq_length": 1000000,
             "hidden_dim": 3, "normalize": true, "apply_zipf": true}
            """;

    @TempDir Path folder;

    @Test
    void settings1000() throws IOException {
        damage(1000);
    }

    @Tag("long")
    @Test
    void settings100000() throws IOException {
        damage(100_000);
    }

    private void damage(int times) throws IOException {
        List<String> configs =
                List.of(
                        SmallModel.BERT,
                        SmallModel.ROBERTA,
                        SmallModel.ALBERT,
                        SmallModel.MODERNBERT,
                        LATER_MODERNBERT,
                        SmallModel.MODERNALBERT,
                        ADAPTED_MODERNALBERT,
                        MODEL2VEC);
        writeTable();
        int refused = 0;
        for (int seed = 0; seed < times; seed++) {
            String config = configs.get(seed % configs.size());
            byte[] damaged = new Mutations(seed).of(config.getBytes(StandardCharsets.UTF_8));
            Files.write(folder.resolve("config.json"), damaged);
            try {
                TextModel model = TextModel.open(folder.toString());
                boolean isStatic = model.encoder().architecture().equals("model2vec");
                Task[] tasks = isStatic ? new Task[] {Task.EMBEDDING} : Task.values();
                for (Task task : tasks) {
                    assertFalse(model.program(task, new Capacity(8, 2)).outputs().isEmpty());
                }
            } catch (CyclaneException e) {
                assertFalse(e.getMessage().isBlank());
                refused++;
            } catch (RuntimeException | Error e) {
                fail(
                        "seed "
                                + seed
                                + " of "
                                + times
                                + ": "
                                + new String(damaged, StandardCharsets.UTF_8),
                        e);
            }
        }
        assertTrue(refused > times / 10 && refused < times, refused + " of " + times);
    }

    /** Static embeddings have their shape from their tensors, which the others never open. */
    private void writeTable() {
        StoredTensor table =
                new StoredTensor(
                        "embeddings",
                        StoredType.F32,
                        List.of(5L, 3L),
                        MemorySegment.ofArray(new byte[60]));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), List.of(table), Map.of());
    }

    /** Numbers that a run would make NaN, infinity or zeros of. */
    @ParameterizedTest
    @CsvSource({
        "layer_norm_eps, -1, 0 to 1",
        "layer_norm_eps, -1e-12, 0 to 1",
        "layer_norm_eps, 1e300, 0 to 1",
        "layer_norm_eps, 1.01, 0 to 1",
        "norm_eps, -1, 0 to 1",
        "norm_eps, 1e300, 0 to 1",
        "global_rope_theta, 0, must be above 1",
        "local_rope_theta, -10000, must be above 1",
        "rope_theta, 1, must be above 1",
        "lora_alpha, -6, 0 to 1048576",
        "lora_alpha, 1e300, 0 to 1048576",
        "router_jitter_noise, -0.1, 0 to 1",
        "router_aux_loss_coef, 1e300, 0 to 1048576",
    })
    void aNumberWithoutSenseIsRefusedByName(String key, String value, String says)
            throws IOException {
        boolean isTheta = key.endsWith("rope_theta");
        boolean isOfExperts = key.startsWith("lora") || key.startsWith("router");
        List<String> configs =
                isOfExperts
                        ? List.of(SmallModel.MODERNALBERT)
                        : isTheta || key.equals("norm_eps")
                                ? List.of(SmallModel.MODERNBERT, SmallModel.MODERNALBERT)
                                : List.of(
                                        SmallModel.BERT,
                                        SmallModel.ROBERTA,
                                        SmallModel.ALBERT,
                                        SmallModel.MODERNALBERT);
        for (String config : configs) {
            writeWith(config, key, value);
            CyclaneException e =
                    assertThrows(CyclaneException.class, () -> TextModel.open(folder.toString()));
            String named = isTheta ? "rotary base" : "'" + key + "' is " + shown(value) + ";";
            assertTrue(e.getMessage().contains(named), e::getMessage);
            assertTrue(e.getMessage().contains(says), e::getMessage);
        }
    }

    private static String shown(String number) {
        boolean isWhole = number.matches("-?[0-9]+");
        return isWhole ? number : Double.toString(Double.parseDouble(number));
    }

    private void writeWith(String config, String key, String value) throws IOException {
        String other =
                config.replaceFirst(",\\s*\"" + key + "\": [-+.0-9e]+", "")
                        .replaceFirst("\\{", "{\"" + key + "\": " + value + ", ");
        Files.writeString(folder.resolve("config.json"), other);
    }

    /** Zero and one are numbers that a norm can do with. */
    @ParameterizedTest
    @ValueSource(strings = {"0", "1e-300", "1"})
    void theEndsOfARangeAreInIt(String eps) throws IOException {
        for (String config : List.of(SmallModel.BERT, SmallModel.ROBERTA, SmallModel.ALBERT)) {
            writeWith(config, "layer_norm_eps", eps);
            assertEquals(24, TextModel.open(folder.toString()).encoder().width());
        }
    }

    /** A number in a file costs nothing before there are weights of that size. */
    @ParameterizedTest
    @CsvSource({
        "num_hidden_layers, 2000000000",
        "hidden_size, 2000000000",
        "max_position_embeddings, 2000000000",
        "vocab_size, 2000000000",
        "num_hidden_groups, 2000000000",
        "inner_group_num, 2000000000",
        "group_depth, 2000000000",
        "num_experts, 2000000000",
        "lora_rank, 2000000000",
        "expert_intermediate_size, 2000000000",
    })
    void aLargeNumberAloneIsRefused(String key, int value) throws IOException {
        for (String config :
                List.of(SmallModel.ALBERT, SmallModel.MODERNBERT, SmallModel.MODERNALBERT)) {
            boolean isAlberts = key.equals("num_hidden_groups") || key.equals("inner_group_num");
            boolean isRead =
                    config.contains("\"" + key + "\"")
                            || isAlberts && config.equals(SmallModel.ALBERT);
            String large =
                    config.replaceFirst("\\{", "{\"" + key + "\": " + value + ", ")
                            .replaceFirst(",\\s*\"" + key + "\": \\d+", "");
            Files.writeString(folder.resolve("config.json"), large);
            try {
                Architectures.of(ModelFolder.open(folder));
                assertTrue(!isRead, large);
            } catch (CyclaneException e) {
                assertTrue(e.getMessage().contains("'" + key + "' is " + value), e::getMessage);
            }
        }
    }
}

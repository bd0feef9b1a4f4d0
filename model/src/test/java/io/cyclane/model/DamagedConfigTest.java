package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.Mutations;
import io.cyclane.tensor.CyclaneException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                        SmallModel.ALBERT,
                        SmallModel.MODERNBERT,
                        LATER_MODERNBERT,
                        SmallModel.MODERNALBERT,
                        ADAPTED_MODERNALBERT);
        int refused = 0;
        for (int seed = 0; seed < times; seed++) {
            String config = configs.get(seed % configs.size());
            byte[] damaged = new Mutations(seed).of(config.getBytes(StandardCharsets.UTF_8));
            Files.write(folder.resolve("config.json"), damaged);
            try {
                TextModel model = TextModel.open(folder.toString());
                for (Task task : Task.values()) {
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

package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.backend.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What encoders of the published shapes take, planned without a weight. */
class EncoderPlanTest {
    private static final String MODERNBERT =
            """
            {"model_type": "modernbert", "vocab_size": 50368, "hidden_size": %d,
             "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
             "max_position_embeddings": 8192, "local_attention": 128,
             "global_attn_every_n_layers": 3, "hidden_activation": "gelu"}
            """;

    private static final String ALBERT_BASE =
            """
            {"model_type": "albert", "vocab_size": 30000, "embedding_size": 128,
             "hidden_size": 768, "num_hidden_layers": %d, "num_attention_heads": 12,
             "intermediate_size": 3072, "max_position_embeddings": 512, "hidden_act": "gelu_new"}
            """;

    @TempDir Path folder;

    /** Base and large, one text and many. */
    @ParameterizedTest
    @CsvSource({"768, 22, 12, 1152, 1", "768, 22, 12, 1152, 64", "1024, 28, 16, 2624, 1"})
    void modernBertsArenaIsHardlyAboveTheFloor(
            int width, int layers, int heads, int hidden, int sequences) throws IOException {
        PlanReport plan =
                plan(
                        MODERNBERT.formatted(width, layers, heads, hidden),
                        new Capacity(8192, sequences));
        assertTrue(
                plan.arenaBytes() >= plan.lowerBoundBytes()
                        && plan.arenaBytes() <= 1.02 * plan.lowerBoundBytes(),
                () -> plan.arenaBytes() + " for " + plan.lowerBoundBytes());
        // The hidden states, a query, a key and a value: normed rows are never there as a whole.
        long states = 4L * 8192 * width;
        assertTrue(plan.arenaBytes() < 4.2 * states, () -> plan.arenaBytes() + " of " + states);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 12, 30})
    void albertsArenaAndWeightsDoNotGrowWithRounds(int rounds) throws IOException {
        Capacity capacity = new Capacity(4096, 8);
        PlanReport one = plan(ALBERT_BASE.formatted(1), capacity);
        PlanReport all = plan(ALBERT_BASE.formatted(rounds), capacity);
        assertEquals(rounds, all.rounds());
        assertEquals(one.arenaBytes(), all.arenaBytes());
        assertEquals(one.residentWeightBytes(), all.residentWeightBytes());
        long ofOneRound = one.groups().getFirst().weightBytes();
        assertEquals(
                all.residentWeightBytes() + (rounds - 1) * ofOneRound, all.unrolledWeightBytes());
        assertTrue(all.arenaBytes() <= 1.02 * all.lowerBoundBytes());
    }

    /** Each parameter is packed when the model is opened, however many rounds read it. */
    @Test
    void albertsRoundsReadOnePackedCopy() {
        String config =
                SmallModel.ALBERT.replace("\"num_hidden_layers\": 4", "\"num_hidden_layers\": 12");
        Path model = SmallModel.write(folder, config, 12);
        try (LoadedModel loaded = ModelLoader.of(model).open(Task.EMBEDDING)) {
            Weights weights = loaded.engine().weights();
            long parameters =
                    loaded.engine().executables().values().stream()
                            .flatMap(e -> e.program().parameters().values().stream())
                            .distinct()
                            .count();
            assertEquals(parameters, weights.packings());
            loaded.encoder().embed("the cat sleeps");
            assertEquals(parameters, weights.packings());
        }
    }

    private PlanReport plan(String config, Capacity capacity) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        return Encoder.plan(folder.toString(), capacity);
    }
}

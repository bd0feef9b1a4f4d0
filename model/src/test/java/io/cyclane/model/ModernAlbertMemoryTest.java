package io.cyclane.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.model.modernalbert.ModernAlbertConfig;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.PlanMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What sharing weights buys: an arena that no number of rounds makes larger, one packed copy. */
class ModernAlbertMemoryTest {
    private static final Capacity LARGE = new Capacity(8192, 64);

    @TempDir Path folder;

    private PlanReport plan(ModelConfig config, Capacity capacity) {
        try {
            Files.write(folder.resolve("config.json"), config.json());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return Encoder.plan(folder.toString(), capacity);
    }

    @ParameterizedTest
    @EnumSource(ModernAlbertVariant.class)
    void theArenaDoesNotGrowWithRounds(ModernAlbertVariant variant) {
        PlanReport few = plan(ModernAlbertConfig.withRounds(variant.config(), 3), LARGE);
        PlanReport many = plan(ModernAlbertConfig.withRounds(variant.config(), 30), LARGE);
        assertEquals(few.arenaBytes(), many.arenaBytes());
        assertEquals(few.residentWeightBytes(), many.residentWeightBytes());
        assertTrue(many.freshBytes() > 9.5 * few.freshBytes());
        for (PlanReport plan : List.of(few, many)) {
            assertTrue(plan.arenaBytes() <= 1.02 * plan.lowerBoundBytes(), () -> "" + plan);
        }
        for (int i = 0; i < few.groups().size(); i++) {
            GroupPlan three = few.groups().get(i);
            GroupPlan thirty = many.groups().get(i);
            assertEquals(3, three.rounds());
            assertEquals(30, thirty.rounds());
            assertEquals(three.arenaBytes(), thirty.arenaBytes());
            assertEquals(three.weightBytes(), thirty.weightBytes());
            // The table of angles, 8192 x 64, is one for all layers whether they share or not.
            long table = 4L * 8192 * 64;
            assertEquals(table, three.tableBytes());
            assertEquals(30 * (three.weightBytes() - table) + table, thirty.unrolledWeightBytes());
            assertEquals(3 * (three.weightBytes() - table) + table, three.unrolledWeightBytes());
            assertEquals(10 * three.freshBytes(), thirty.freshBytes());
            assertTrue(thirty.arenaBytes() <= 1.02 * thirty.floorBytes());
            assertEquals(4L * 8192 * variant.config().integer("hidden_size"), thirty.carryBytes());
        }
        // Residuals are added where the carry lies: nothing is copied from round to round.
        assertTrue(!few.explanation().contains("copied"), few::explanation);
    }

    /** What rounds have for themselves already is there once, shared or not. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"use_adapter\": true, \"adapter_reduction\": 4",
                "\"expert_kind\": \"rrt\"",
                "\"router_per_round\": true"
            })
    void whatEachRoundHasForItselfIsNotUnrolled(String setting) {
        String settings = SmallModel.MODERNALBERT.replaceFirst("\\{", "{" + setting + ", ");
        Capacity capacity = new Capacity(64, 4);
        PlanReport tied = plan(ModelConfig.parse("tied", settings.getBytes(UTF_8)), capacity);
        // The same model with a group for each round, whose weights are all its own.
        String apart =
                settings.replace("\"group_depth\": 2", "\"group_depth\": 1")
                        .replace("[2, 3]", "[3, 4, 5, 6]");
        PlanReport untied = plan(ModelConfig.parse("untied", apart.getBytes(UTF_8)), capacity);
        assertEquals(3, tied.groups().size());
        assertEquals(6, untied.groups().size());
        assertEquals(untied.residentWeightBytes(), tied.unrolledWeightBytes());
        assertEquals(untied.residentWeightBytes(), untied.unrolledWeightBytes());
        assertTrue(tied.residentWeightBytes() < tied.unrolledWeightBytes());
    }

    /** Rounds that see differently are loops of their own, and still one group's. */
    @ParameterizedTest
    @CsvSource({"2, 2, 2", "3, 2, 3", "3, 3, 2", "4, 8, 2"})
    void aGroupOfMixedAttentionIsOneGroup(int rounds, int every, int repeats) {
        ModelConfig near =
                ModelConfig.parse("small", SmallModel.MODERNALBERT.getBytes(UTF_8))
                        .with("group_depth", (long) rounds)
                        .with("num_hidden_layers", 3L * rounds)
                        .with("local_attention", 8L);
        Capacity capacity = new Capacity(64, 4);
        PlanReport all = plan(near, capacity);
        PlanReport mixed = plan(near.with("global_attn_every_n_layers", (long) every), capacity);
        assertEquals(3, mixed.groups().size());
        assertEquals(rounds, mixed.rounds());
        assertEquals(repeats, mixed.groups().getFirst().repeats());
        for (int i = 0; i < 3; i++) {
            GroupPlan alike = all.groups().get(i);
            GroupPlan group = mixed.groups().get(i);
            assertEquals(1, alike.repeats());
            assertEquals(rounds, group.rounds());
            assertEquals(alike.arenaBytes(), group.arenaBytes());
            assertEquals(alike.carryBytes(), group.carryBytes());
            assertEquals(alike.weightBytes(), group.weightBytes());
            assertEquals(alike.unrolledWeightBytes(), group.unrolledWeightBytes());
            assertEquals(alike.freshBytes(), group.freshBytes());
        }
        assertEquals(all.residentWeightBytes(), mixed.residentWeightBytes());
        assertEquals(all.unrolledWeightBytes(), mixed.unrolledWeightBytes());
    }

    /** The picture's regions are the plan's: none beyond the arena, none over another. */
    @Test
    void theMapShowsThePlan() {
        PlanReport plan = plan(ModernAlbertVariant.TINY.config(), new Capacity(64, 4));
        PlanMap map = plan.map();
        assertEquals(7, map.bodies().size());
        assertEquals(2, map.bodies().getFirst().rounds());
        long highest = 0;
        for (PlanMap.Region a : map.regions()) {
            highest = Math.max(highest, a.offset() + a.length());
            assertTrue(a.to() <= map.moments().size() && a.from() <= a.to(), a::toString);
            for (PlanMap.Region b : map.regions()) {
                boolean isSameTime = a.from() < b.to() && b.from() < a.to();
                boolean isSamePlace =
                        a.offset() < b.offset() + b.length()
                                && b.offset() < a.offset() + a.length();
                // What is read in a step may lie where the step writes: those only touch in time.
                assertTrue(a == b || !isSameTime || !isSamePlace, () -> a + " and " + b);
            }
        }
        assertTrue(highest <= plan.arenaBytes() && highest > plan.arenaBytes() - 64);
    }

    /** However many heads and rounds read it, in whatever order they run. */
    @ParameterizedTest
    @CsvSource({"1, 1", "2, 3", "5, 1"})
    void headsAndRoundsShareOnePackedCopy(int rounds, int sessions) {
        String config =
                SmallModel.oneLabel(SmallModel.MODERNALBERT)
                        .replace("\"group_depth\": 2", "\"group_depth\": " + rounds)
                        .replace(
                                "\"num_hidden_layers\": 6", "\"num_hidden_layers\": " + 3 * rounds);
        Path model = SmallModel.write(folder, config, 3, Task.CLASSIFICATION, Task.FILL_MASK);
        try (LoadedModel all =
                ModelLoader.of(model)
                        .sessions(sessions)
                        .open(
                                Task.EMBEDDING,
                                Task.CLASSIFICATION,
                                Task.RERANKING,
                                Task.FILL_MASK)) {
            Weights weights = all.engine().weights();
            long parameters =
                    all.engine().executables().values().stream()
                            .flatMap(e -> e.program().parameters().values().stream())
                            .distinct()
                            .count();
            // The word table is gathered by the encoder and multiplied by the head: two forms.
            assertEquals(parameters + 1, weights.packings());
            long before = weights.packings();
            float[] first = all.encoder().embed("the cat sleeps");
            List<Label> labels = all.classifier().classify("on the rug");
            for (int i = 0; i < 50; i++) {
                assertArrayEquals(first, all.encoder().embed("the cat sleeps"));
                assertEquals(labels, all.classifier().classify("on the rug"));
                all.reranker().rank("a cat", List.of("the rug", "on"));
            }
            assertEquals(before, weights.packings());
        }
    }

    /** Which rows share an expert's tile depends on the batch; what comes out must not. */
    @ParameterizedTest
    @CsvSource({"2, true", "1, true", "4, false"})
    void aTextsBitsDoNotDependOnItsNeighbours(int chosen, boolean renormalised) {
        String config =
                SmallModel.MODERNALBERT
                        .replace("\"top_k\": 2", "\"top_k\": " + chosen)
                        .replace(
                                "\"lora_rank\"",
                                "\"norm_topk_prob\": " + renormalised + ", \"lora_rank\"");
        Path model = SmallModel.write(folder, config, 3);
        List<String> texts =
                java.util.stream.IntStream.of(1, 40, 3, 17, 2, 30, 5, 9)
                        .mapToObj(SmallModel::words)
                        .toList();
        try (Encoder encoder = Encoder.load(model)) {
            float[][] together = encoder.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(encoder.embed(texts.get(i)), together[i], "text " + i);
            }
        }
    }

    @Test
    void everyDtypeOfAFolderLoads() {
        Path model = SmallModel.write(folder.resolve("a"), SmallModel.MODERNALBERT, 3);
        float[] wanted;
        try (Encoder encoder = Encoder.load(model)) {
            wanted = encoder.embed("the cat sleeps");
        }
        for (StoredType type : List.of(StoredType.BF16, StoredType.F16)) {
            Path converted = folder.resolve("as " + type);
            Conversion.write(model.toString(), converted, type);
            try (Encoder encoder = Encoder.load(converted)) {
                float[] ours = encoder.embed("the cat sleeps");
                double cosine = 0;
                for (int i = 0; i < ours.length; i++) {
                    cosine += ours[i] * wanted[i];
                }
                assertTrue(cosine > 0.995, type + " " + cosine);
            }
        }
    }
}

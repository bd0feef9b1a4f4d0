package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.ExpertMerge.Emit;
import io.cyclane.model.ExpertMerge.Mode;
import io.cyclane.model.ExpertMerge.Over;
import io.cyclane.model.ExpertMerge.Plan;
import io.cyclane.model.ExpertMerge.Report;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExpertMergeTest {
    /** What rounding the merged weights to F32 does to a few layers' output, of which RMS is 1. */
    private static final double ROUNDING = 1e-5;

    @TempDir Path temporary;
    private final List<int[]> texts =
            List.of(TestModels.ids(20, 80, 1), TestModels.ids(1, 80, 2), TestModels.ids(9, 80, 3));

    private static Stream<Plan> plans() {
        return Stream.of(Mode.values())
                .flatMap(mode ->
                        Stream.of(Over.values())
                                .flatMap(over ->
                                        Stream.of(Emit.values())
                                                .map(emit -> plan(mode, over, emit))));
    }

    private static Plan plan(Mode mode, Over over, Emit emit) {
        return new Plan(
                mode, over, emit, emit == Emit.SVD ? OptionalInt.of(3) : OptionalInt.empty());
    }

    private Path model(String name) {
        return SmallModel.write(temporary.resolve(name), SmallModel.MODERNALBERT, 4);
    }

    private Report merge(Path model, Plan plan, String name) {
        return ExpertMerge.write(model.toString(), plan, texts, temporary.resolve(name), false);
    }

    /** Gates sum to 1, so the mixture of one and the same layer is that layer. */
    @ParameterizedTest
    @MethodSource("plans")
    void identicalExpertsAreReproducedInAnyWay(Plan plan) throws IOException {
        Path model = model("model");
        Path alike = SmallModel.write(temporary.resolve("alike"), SmallModel.MODERNALBERT, 5);
        try (Checkpoint checkpoint = Safetensors.open(model)) {
            List<StoredTensor> tensors = new ArrayList<>();
            for (StoredTensor tensor : checkpoint.tensors()) {
                String first = tensor.name().replaceFirst("experts\\.\\d", "experts.0");
                StoredTensor same = checkpoint.tensor(first);
                tensors.add(
                        new StoredTensor(tensor.name(), same.type(), same.extents(), same.bytes()));
            }
            SafetensorsWriter.write(alike.resolve("model.safetensors"), tensors, Map.of());
        }
        Report report = merge(alike, plan, "merged");
        assertEquals(3, report.texts());
        assertEquals(30, report.tokens());
        assertTrue(report.maxError() < ROUNDING, report::toString);
        assertEquals(1, report.meanCosine(), ROUNDING);
        assertEquals(1, report.rms(), 0.2);
        // Only a router tells the merged folder from the routed one, and it is gone.
        try (Checkpoint checkpoint = Safetensors.open(temporary.resolve("merged"))) {
            assertTrue(checkpoint.names().stream().noneMatch(n -> n.contains("router")));
            assertTrue(checkpoint.names().stream().noneMatch(n -> n.contains("experts")));
        }
        try (Encoder a = Encoder.load(alike);
                Encoder b = Encoder.load(temporary.resolve("merged"))) {
            assertArrayEquals(a.embed("the cat sleeps"), b.embed("the cat sleeps"), 1e-5f);
        }
    }

    @Test
    void foldingStackingAndFullSvdAreOne() {
        Path model = model("model");
        Report fold = merge(model, plan(Mode.UNIFORM, Over.PRODUCT, Emit.FOLD), "fold");
        Report stack = merge(model, plan(Mode.UNIFORM, Over.PRODUCT, Emit.STACK), "stack");
        Plan full = new Plan(Mode.UNIFORM, Over.PRODUCT, Emit.SVD, OptionalInt.of(12));
        Report svd = merge(model, full, "svd");
        assertEquals(0, fold.rank());
        assertEquals(12, stack.rank());
        assertEquals(12, svd.rank());
        // Random experts have nothing in common, and so merging them moves the outputs.
        assertTrue(fold.maxError() > 0.1 && fold.meanCosine() < 0.999, fold::toString);
        for (Report other : List.of(stack, svd)) {
            assertEquals(fold.maxError(), other.maxError(), ROUNDING);
            assertEquals(fold.meanCosine(), other.meanCosine(), ROUNDING);
        }
        try (Encoder a = Encoder.load(temporary.resolve("fold"));
                Encoder b = Encoder.load(temporary.resolve("stack"));
                Encoder c = Encoder.load(temporary.resolve("svd"))) {
            float[] folded = a.embed(SmallModel.words(20));
            assertArrayEquals(folded, b.embed(SmallModel.words(20)), 1e-5f);
            assertArrayEquals(folded, c.embed(SmallModel.words(20)), 1e-5f);
        }
    }

    /** Whatever became of the experts before, a folded model costs what a plain one does. */
    @Test
    void aFoldedModelsProgramIsThePlainLayers() {
        Path model = model("model");
        String config = SmallModel.MODERNALBERT.replace("\"num_experts\": 4", "\"num_experts\": 0");
        String plain = program(SmallModel.write(temporary.resolve("plain"), config, 1));
        assertNotEquals(plain, program(model));
        for (Emit emit : Emit.values()) {
            merge(model, plan(Mode.UNIFORM, Over.PRODUCT, emit), "" + emit);
            String merged = program(temporary.resolve("" + emit));
            if (emit == Emit.FOLD) {
                assertEquals(plain, merged);
            } else {
                assertNotEquals(plain, merged);
            }
        }
    }

    private static String program(Path model) {
        return TextModel.open(model.toString()).embedding(new Capacity(64, 4)).toString();
    }

    @Test
    void routingHistoryTellsTheShares() {
        Path model = model("model");
        Report even = merge(model, plan(Mode.UNIFORM, Over.FACTORS, Emit.FOLD), "even");
        Report used = merge(model, plan(Mode.EMA, Over.FACTORS, Emit.FOLD), "used");
        assertEquals(List.of("groups.1.layers.0.mlp", "groups.2.layers.0.mlp"), names(even));
        assertEquals(names(even), names(used));
        even.shares()
                .values()
                .forEach(s -> assertArrayEquals(new double[] {.25, .25, .25, .25}, s));
        TextModel text = TextModel.open(model.toString());
        double[] wanted = {0.25, 0.25, 0.25, 0.25};
        try (Inspector inspector = new Inspector(text, 20)) {
            for (int[] ids : texts) {
                double[] mean = new double[4];
                int rows = 0;
                for (Inspector.Routing routing : inspector.inspect(ids).routings()) {
                    if (!routing.name().startsWith("groups.1.")) {
                        continue;
                    }
                    for (int t = 0; t < ids.length; t++) {
                        float sum = routing.gates()[t][0] + routing.gates()[t][1];
                        assertEquals(1, sum, 1e-6);
                        mean[routing.experts()[t][0]] += routing.gates()[t][0];
                        mean[routing.experts()[t][1]] += routing.gates()[t][1];
                        rows++;
                    }
                }
                assertEquals(2 * ids.length, rows, "two rounds");
                for (int e = 0; e < 4; e++) {
                    wanted[e] = 0.99 * wanted[e] + 0.01 * mean[e] / rows;
                }
            }
        }
        double[] shares = used.shares().get("groups.1.layers.0.mlp");
        assertArrayEquals(wanted, shares, 1e-9);
        assertEquals(1, Arrays.stream(shares).sum(), 1e-12);
    }

    /** What is reported is what two runs over the texts give. */
    @Test
    void theReportIsThatOfTheModelsBeforeAndAfter() {
        Path model = model("model");
        Report report = merge(model, plan(Mode.EMA, Over.PRODUCT, Emit.FOLD), "merged");
        double cosines = 0;
        double error = 0;
        double squares = 0;
        try (Inspector before = Inspector.open(model.toString(), 20);
                Inspector after = Inspector.open(temporary.resolve("merged").toString(), 20)) {
            for (int[] ids : texts) {
                float[][] from = before.inspect(ids).last();
                float[][] to = after.inspect(ids).last();
                for (int t = 0; t < ids.length; t++) {
                    cosines += Cosine.of(from[t], to[t]);
                    squares += Cosine.dot(from[t], from[t]);
                    for (int d = 0; d < from[t].length; d++) {
                        error = Math.max(error, Math.abs((double) from[t][d] - to[t][d]));
                    }
                }
            }
        }
        assertEquals(cosines / 30, report.meanCosine());
        assertEquals(error, report.maxError());
        assertEquals(Math.sqrt(squares / (30 * 24)), report.rms());
    }

    /** Nothing of a text is kept: what is on the heap at the last one was there at the tenth. */
    @Test
    void memoryDoesNotGrowWithTexts() {
        int count = 600;
        int[] ids = TestModels.ids(40, 80, 1);
        List<Long> used = new ArrayList<>();
        ExpertMerge.Texts same =
                each -> {
                    for (int i = 0; i < count; i++) {
                        if (i == 9 || i == count - 1) {
                            used.add(usedBytes());
                        }
                        each.accept(ids);
                    }
                };
        ExpertMerge.write(
                model("model").toString(),
                Optional.empty(),
                plan(Mode.EMA, Over.PRODUCT, Emit.FOLD),
                Optional.of(same),
                temporary.resolve("merged"),
                false);
        long states = 4L * 24 * ids.length * count;
        for (int i = 0; i < used.size(); i += 2) {
            long grown = used.get(i + 1) - used.get(i);
            assertTrue(grown < states / 2, grown + " bytes more, hidden states are " + states);
        }
    }

    /** Other threads allocate meanwhile, the warm-up's above all: the least of several looks. */
    private static long usedBytes() {
        long least = Long.MAX_VALUE;
        for (int look = 0; look < 5; look++) {
            System.gc();
            long free = Runtime.getRuntime().freeMemory();
            least = Math.min(least, Runtime.getRuntime().totalMemory() - free);
        }
        return least;
    }

    @ParameterizedTest
    @EnumSource
    void mergedWeightsKeepTheTypeOfTheFolder(Emit emit) {
        Plan plan = plan(Mode.UNIFORM, Over.PRODUCT, emit);
        Path model = model("model");
        Report exact = merge(model, plan, "exact");
        for (StoredType type : List.of(StoredType.BF16, StoredType.F16)) {
            Path half = temporary.resolve(type.name());
            Conversion.write(model.toString(), half, type);
            Report report = merge(half, plan, "merged " + type);
            try (Checkpoint checkpoint = Safetensors.open(temporary.resolve("merged " + type))) {
                checkpoint.tensors().forEach(t -> assertEquals(type, t.type(), t.name()));
            }
            // Weights of 8 significant bits leave as many of a few layers' outputs, or two fewer.
            assertEquals(exact.meanCosine(), report.meanCosine(), 0x1p-6);
            assertTrue(Files.exists(temporary.resolve("merged " + type + "/config.json")));
        }
    }

    @Test
    void aFolderWithTheTextsInItIsKept() throws IOException {
        Path model = model("model");
        Plan plan = plan(Mode.UNIFORM, Over.PRODUCT, Emit.FOLD);
        merge(model, plan, "merged");
        Path folder = temporary.resolve("merged");
        Path file = Files.writeString(folder.resolve("texts"), "a text");
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                ExpertMerge.write(
                                        model.toString(),
                                        Optional.empty(),
                                        plan,
                                        Optional.of(texts::forEach),
                                        folder,
                                        true,
                                        file));
        assertTrue(e.getMessage().contains("which the new one is made from"), e::getMessage);
        assertTrue(Files.exists(file));
    }

    private static List<String> names(Report report) {
        return List.copyOf(report.shares().keySet());
    }

    @Test
    void whatCanNotBeMergedIsNamed() throws IOException {
        Plan plan = plan(Mode.UNIFORM, Over.PRODUCT, Emit.FOLD);
        Path bert = SmallModel.write(temporary.resolve("bert"), SmallModel.BERT, 1);
        assertFails(bert, plan, "is a bert: it has no experts to merge");
        Path model = model("model");
        for (Emit emit : Emit.values()) {
            String name = "merged " + emit;
            merge(model, plan(Mode.UNIFORM, Over.PRODUCT, emit), name);
            assertFails(
                    temporary.resolve(name),
                    plan,
                    "its experts are merged already (uniform, over product, "
                            + emit.name().toLowerCase(java.util.Locale.ROOT));
        }
        String plain = SmallModel.MODERNALBERT.replace("\"num_experts\": 4", "\"num_experts\": 0");
        Path none = SmallModel.write(temporary.resolve("none"), plain, 1);
        assertFails(
                none,
                plan,
                "only routed LoRAs can be merged into weights, its 'expert_kind' is none");
        String moa = SmallModel.MODERNALBERT.replace("\"top_k\"", "\"use_moa\": true, \"top_k\"");
        Path adapters = SmallModel.write(temporary.resolve("moa"), moa, 1);
        assertFails(adapters, plan, "its 'expert_kind' is moa");
        Plan large = new Plan(Mode.UNIFORM, Over.FACTORS, Emit.SVD, OptionalInt.of(4));
        assertFails(model, large, "the merged update has rank 3 at most, 4 was asked for");
        assertThrows(
                IllegalArgumentException.class,
                () -> new Plan(Mode.UNIFORM, Over.FACTORS, Emit.SVD, OptionalInt.empty()));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Plan(Mode.UNIFORM, Over.FACTORS, Emit.FOLD, OptionalInt.of(2)));
        try (Stream<Path> files = Files.list(temporary)) {
            assertTrue(files.noneMatch(file -> file.toString().endsWith(".tmp")));
        }
    }

    private void assertFails(Path model, Plan plan, String message) {
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> merge(model, plan, "out"));
        assertTrue(e.getMessage().contains(message), e::getMessage);
        assertTrue(Files.notExists(temporary.resolve("out")));
    }
}

package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.Inspector.Inspection;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.onnx.OnnxProgram;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What ModernALBERT's checkpoints and runs may get wrong: one clear error each. */
class ModernAlbertErrorsTest {
    @TempDir Path folder;

    @BeforeEach
    void write() {
        SmallModel.write(folder, SmallModel.MODERNALBERT, 3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"num_experts\": 4|\"num_experts\": 5|'num_experts' is 5, the tensors are those of 4",
                "\"num_experts\": 4|\"num_experts\": 3|'num_experts' is 3, the tensors are those of 4",
                "\"lora_rank\": 3|\"lora_rank\": 4|'lora_rank' is 4, tensor 'model.groups.1.layers.0.mlp.experts.0.Wi.lora_A.weight' is of rank 3",
                "\"top_k\": 2|\"top_k\": 5|'top_k' is 5, but there are only 4 experts",
                "\"group_depth\": 2|\"group_depth\": 4|'group_depth' 4 does not divide 'num_hidden_layers' 6",
                "\"group_depth\": 2|\"group_depth\": 3|'expert_groups' names group 3; groups are numbered 1 to 2",
                "\"expert_intermediate_size\": 28|\"expert_intermediate_size\": 30|is [28, 3], wanted for [4, 30",
                "\"use_x\": 1|\"use_gated_residual\": true|'use_gated_residual' is true, whose formula is not published",
            })
    void settingsThatContradictTheTensorsAreNamed(String setting, String other, String message)
            throws IOException {
        String config = SmallModel.MODERNALBERT.replaceFirst("\\{", "{\"use_x\": 1, ");
        assertTrue(config.contains(setting));
        Files.writeString(folder.resolve("config.json"), config.replace(setting, other));
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Encoder.load(folder).close());
        boolean isShape = message.startsWith("is [");
        String wanted = isShape ? "wanted for [4, 60, 3]" : message;
        assertTrue(e.getMessage().contains(wanted), e::getMessage);
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY})
    void aRouterThatIsNotFiniteIsNamed(float weight) throws IOException {
        change("model.groups.1.layers.0.mlp.router.weight", weight);
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> Encoder.load(folder).close());
        String message = "'model.groups.1.layers.0.mlp.router.weight': it holds " + weight;
        assertTrue(e.getMessage().contains(message), e::getMessage);
        assertTrue(e.getMessage().contains("weights must be finite"), e::getMessage);
    }

    /** Its weights are finite, so that only a run can tell. */
    @Test
    void aRouterWithoutAScoreIsNamed() throws IOException {
        change("model.groups.1.layers.0.mlp.router.weight", 3e38f);
        try (Encoder encoder = Encoder.load(folder)) {
            InputException e =
                    assertThrows(InputException.class, () -> encoder.embed("the cat sleeps"));
            assertTrue(
                    e.getMessage().contains("groups.1.layers.0.mlp.router.weight"), e::getMessage);
        }
    }

    private void change(String name, float value) throws IOException {
        List<StoredTensor> tensors = new ArrayList<>();
        try (Checkpoint checkpoint = Safetensors.open(folder)) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                float[] numbers = new float[(int) tensor.elements()];
                checkpoint.floats(tensor.name(), MemorySegment.ofArray(numbers));
                if (tensor.name().equals(name)) {
                    Arrays.fill(numbers, value);
                }
                tensors.add(
                        new StoredTensor(
                                tensor.name(),
                                tensor.type(),
                                tensor.extents(),
                                MemorySegment.ofArray(numbers)));
            }
        }
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of());
    }

    @Test
    void whatOnnxHasNoFormForIsNamed() {
        Recorder g = new Recorder("a counter");
        RaggedBatch batch = RaggedBatch.record(g, 1, 1);
        Variable steps = new Variable("steps", Type.f32(Shape.of(1)));
        Tensor next = g.scale(g.variable(steps), 2);
        g.update(steps, next);
        Program program = g.output("y", next).output("ids", batch.ids()).program();
        BackendException e =
                assertThrows(
                        BackendException.class,
                        () -> OnnxProgram.write(new OnnxWriter("x"), program, false, false));
        assertTrue(e.getMessage().contains("keeps 'steps' across runs"), e::getMessage);
    }

    /** A group of which one round sees everything runs as several loops, and counts on. */
    @ParameterizedTest
    @CsvSource({"1", "2", "4", "3"})
    void roundsAreCountedInTheirGroup(int every) {
        String setting = "{\"local_attention\": 8, \"global_attn_every_n_layers\": " + every + ", ";
        String config =
                SmallModel.MODERNALBERT
                        .replaceFirst("\\{", setting)
                        .replace("\"group_depth\": 2", "\"group_depth\": 3")
                        .replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 9");
        Path mixed = SmallModel.write(folder.resolve("mixed"), config, 3);
        try (Inspector inspector = Inspector.open(mixed.toString(), 5)) {
            Inspection inspection = inspector.inspect(new int[] {7, 8, 9});
            assertEquals(10, inspection.states().size());
            List<String> labels =
                    inspection.routings().stream().map(r -> r.name() + " " + r.round()).toList();
            assertEquals(
                    List.of(
                            "groups.1.layers.0.mlp 0",
                            "groups.1.layers.0.mlp 1",
                            "groups.1.layers.0.mlp 2",
                            "groups.2.layers.0.mlp 0",
                            "groups.2.layers.0.mlp 1",
                            "groups.2.layers.0.mlp 2"),
                    labels);
        }
    }

    @Test
    void anInspectorTakesWhatItWasOpenedFor() {
        try (Inspector inspector = Inspector.open(folder.toString(), 5)) {
            assertThrows(CapacityException.class, () -> inspector.inspect(new int[6]));
            Inspection inspection = inspector.inspect(new int[] {7, 8, 9});
            assertEquals(7, inspection.states().size());
            assertEquals(6, inspection.drift().length);
            assertEquals(4, inspection.routings().size());
            for (Inspector.Routing routing : inspection.routings()) {
                assertEquals(1, Arrays.stream(routing.shares()).sum(), 1e-6);
                for (int t = 0; t < 3; t++) {
                    float[] p = routing.probabilities()[t];
                    int best = routing.experts()[t][0];
                    for (float each : p) {
                        assertTrue(p[best] >= each);
                    }
                }
            }
            // A shorter text after a longer one finds nothing left of it.
            float[][] alone = inspector.inspect(new int[] {7}).last();
            inspector.inspect(new int[] {8, 9, 10, 11, 12});
            assertArrayEquals(alone, inspector.inspect(new int[] {7}).last());
        }
    }
}

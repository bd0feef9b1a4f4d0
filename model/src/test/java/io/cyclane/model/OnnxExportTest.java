package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.OnnxModel;
import io.cyclane.model.checkpoint.Safetensors;
import io.cyclane.model.checkpoint.StoredTensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What our own reader finds in our exports; that they compute the same is proved in bench. */
class OnnxExportTest {
    @TempDir Path folder;

    private OnnxModel export(String config, Task task, OnnxExport.Form form) throws IOException {
        SmallModel.write(folder, config, 1, Task.CLASSIFICATION, Task.FILL_MASK);
        Path file = folder.resolve("model.onnx");
        OnnxExport.write(folder.toString(), task, file, form, false);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.filter(each -> each.toString().endsWith(".tmp")).count());
        }
        return OnnxModel.read("export", MemorySegment.ofArray(Files.readAllBytes(file)));
    }

    @Test
    void inputsOutputsAndWeightsStandInTheFile() throws IOException {
        OnnxModel model = export(SmallModel.MODERNBERT, Task.EMBEDDING, OnnxExport.Form.STANDARD);
        assertEquals(List.of("input_ids", "attention_mask"), model.inputs());
        assertEquals(List.of("last_hidden_state", "sentence_embedding"), model.outputs());
        try (Checkpoint checkpoint = Safetensors.open(folder)) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                if (!tensor.name().startsWith("model.")) {
                    continue;
                }
                StoredTensor exported =
                        model.initializers().get(tensor.name().substring("model.".length()));
                assertEquals(tensor.extents(), exported.extents(), tensor.name());
                assertEquals(-1, tensor.bytes().mismatch(exported.bytes()), tensor.name());
            }
        }
    }

    /** All rounds read the same initializers. */
    @Test
    void roundsAreWrittenOutOverOneSetOfWeights() throws IOException {
        OnnxModel model = export(SmallModel.ALBERT, Task.FILL_MASK, OnnxExport.Form.FUSED);
        assertEquals(List.of("input_ids", "attention_mask", "token_type_ids"), model.inputs());
        Map<String, Long> counts =
                model.nodes().stream()
                        .collect(Collectors.groupingBy(OnnxModel.Node::op, Collectors.counting()));
        assertEquals(4, counts.get("com.microsoft.MultiHeadAttention"));
        assertEquals(2 * 4, counts.get("com.microsoft.SkipLayerNormalization"));
        assertEquals(2, counts.get("LayerNormalization"));
        assertEquals(4 + 1, counts.get("Gelu"));
        // Of embeddings, widening, window and scores, and before GELU; the rest is in norms.
        assertEquals(2 + 1 + 1 + 1 + 4 + 1, counts.get("Add"));
        assertEquals(4 * 6 + 3, counts.get("MatMul"));
        long layers =
                model.initializers().keySet().stream()
                        .filter(name -> name.endsWith("ffn.weight"))
                        .count();
        assertEquals(1, layers);
        assertTrue(!counts.containsKey("Softmax"));
    }

    /**
     * The mixture in its cheap form: with each base weight one product, with each stack of factors
     * one, and one for the router, in each of four applications; two plain layers; a projection.
     */
    @Test
    void aMixtureTakesOneProductWithEachWeight() throws IOException {
        OnnxModel model = export(SmallModel.MODERNALBERT, Task.EMBEDDING, OnnxExport.Form.FUSED);
        assertEquals(List.of("input_ids", "attention_mask"), model.inputs());
        Map<String, Long> counts =
                model.nodes().stream()
                        .collect(Collectors.groupingBy(OnnxModel.Node::op, Collectors.counting()));
        System.out.println("nodes: " + new java.util.TreeMap<>(counts));
        assertEquals(4, counts.get("TopK"));
        assertEquals(6, counts.get("com.microsoft.MultiHeadAttention"));
        assertEquals(2 * 6, counts.get("com.microsoft.RotaryEmbedding"));
        // Query, key and value have products of their own, and so have gates.
        assertEquals(1 + 6 * 4 + 2 * 3 + 4 * (2 + 4 + 1), counts.get("MatMul"));
        assertEquals(6, counts.get("Gelu"));
        // Each factor of four experts once, though two rounds of each of two groups read them.
        long factors =
                model.initializers().keySet().stream().filter(n -> n.contains("lora")).count();
        assertEquals(2 * 4, factors);
        Path open = folder.resolve("open.onnx");
        OnnxExport.write(
                folder.toString(),
                Task.EMBEDDING,
                open,
                OnnxExport.Form.FUSED,
                false,
                OnnxExport.Routing.OPEN);
        OnnxModel routed = OnnxModel.read("open", MemorySegment.ofArray(Files.readAllBytes(open)));
        assertEquals(List.of("input_ids", "attention_mask", "experts", "gates"), routed.inputs());
        // An input with a value of its own may be left out.
        for (String optional : List.of("experts", "gates")) {
            assertEquals(List.of(4L, 1L, 1L, 2L), routed.initializers().get(optional).extents());
        }
        assertEquals(
                List.of(
                        "last_hidden_state",
                        "sentence_embedding",
                        "chosen_experts",
                        "chosen_gates",
                        "router_scores"),
                routed.outputs());
    }

    @Test
    void aFileThatCanNotBeWrittenIsNamed() throws IOException {
        SmallModel.write(folder, SmallModel.BERT, 1);
        Path file = folder.resolve("no such folder/model.onnx");
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                OnnxExport.write(
                                        folder.toString(),
                                        Task.EMBEDDING,
                                        file,
                                        OnnxExport.Form.STANDARD,
                                        false));
        assertTrue(e.getMessage().contains(file.toString()), e::getMessage);
        CheckpointException head =
                assertThrows(
                        CheckpointException.class,
                        () ->
                                OnnxExport.write(
                                        folder.toString(),
                                        Task.CLASSIFICATION,
                                        folder.resolve("c.onnx"),
                                        OnnxExport.Form.STANDARD,
                                        false));
        assertTrue(head.getMessage().contains("the head is missing"), head::getMessage);
    }
}

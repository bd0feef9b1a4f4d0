package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.OnnxWeights.Weight;
import io.cyclane.model.checkpoint.TinyBert.Style;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxModelTest {
    private static OnnxModel read(byte[] bytes) {
        return OnnxModel.read("model 'tiny'", MemorySegment.ofArray(bytes));
    }

    @ParameterizedTest
    @EnumSource(Style.class)
    void namesEveryWeightAndTurnsItToARowPerOutput(Style style) {
        TinyBert tiny = new TinyBert(style);
        OnnxModel model = read(tiny.model());
        assertEquals("test 1", model.producer());
        Collection<Weight> weights = OnnxWeights.of("tiny", model);
        Set<String> names = new TreeSet<>();
        for (Weight weight : weights) {
            names.add(weight.name());
            float[] floats = new float[(int) weight.stored().elements()];
            weight.floats(MemorySegment.ofArray(floats));
            assertArrayEquals(tiny.weights().get(weight.name()), floats, weight.name());
        }
        assertEquals(tiny.weights().keySet(), names);
        assertEquals(
                List.of(12L, 8L),
                weights.stream()
                        .filter(weight -> weight.name().endsWith("0.intermediate.dense.weight"))
                        .findFirst()
                        .orElseThrow()
                        .extents());
        assertEquals(
                new OnnxBert(11, 16, 2, 8, 2, 2, 12, "gelu", 1e-12),
                OnnxBert.of("tiny", model, weights));
    }

    @ParameterizedTest
    @EnumSource(
            value = Style.class,
            names = {"FOLDED", "GEMM"})
    void refusesANamelessWeightWithoutABias(Style style) {
        TinyBert tiny = new TinyBert(style).withoutBias("encoder.layer.1.attention.self.key.bias");
        OnnxModel model = read(tiny.model());
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> OnnxWeights.of("tiny", model));
        assertTrue(e.getMessage().matches("tiny: initializer 'onnx::MatMul_\\d+'.* no bias .*"));
    }

    private static ProtobufWriter tensor(String name, int type, long[] extents) {
        return new ProtobufWriter().integers(1, extents).integer(2, type).string(8, name);
    }

    private static MemorySegment zeros(int bytes) {
        return MemorySegment.ofArray(new byte[bytes]);
    }

    private static ProtobufWriter node(String op, List<String> inputs, String output) {
        ProtobufWriter node = new ProtobufWriter();
        inputs.forEach(input -> node.string(1, input));
        return node.string(2, output).string(3, "/n").string(4, op);
    }

    private static Collection<Weight> weights(Consumer<ProtobufWriter> content) {
        ProtobufWriter graph = new ProtobufWriter();
        content.accept(graph);
        return OnnxWeights.of("tiny", read(new ProtobufWriter().message(7, graph).toArray()));
    }

    private static void assertRefused(String says, Consumer<ProtobufWriter> content) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> weights(content));
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }

    @Test
    void givesEqualTensorsEachOfTheirNames() {
        Collection<Weight> weights =
                weights(graph ->
                        graph.message(5, tensor("a.bias", 1, new long[] {2}).bytes(9, zeros(8)))
                                .message(1, node("Identity", List.of("a.bias"), "b.bias")));
        assertEquals(List.of("a.bias", "b.bias"), weights.stream().map(Weight::name).toList());
    }

    @Test
    void readsIntegersAndFloatsOfEveryForm() {
        ProtobufWriter graph =
                new ProtobufWriter()
                        .message(5, tensor("i64", 7, new long[] {3}).integers(7, -1, 300, 1L << 40))
                        .message(5, tensor("i32", 6, new long[] {2}).integers(5, -1, 300))
                        .message(5, tensor("f16", 10, new long[] {2}).integers(5, 0x3C00, 0xBC00))
                        .message(5, tensor("f32", 1, new long[] {2}).f32(4, 1).f32(4, -2))
                        .message(5, tensor("f64", 11, new long[] {1}).fixed64(10, 42));
        Map<String, StoredTensor> tensors =
                read(new ProtobufWriter().message(7, graph).toArray()).initializers();
        assertEquals("ffffffffffffffff2c010000000000000000000000010000", hex(tensors.get("i64")));
        assertEquals("ffffffff2c010000", hex(tensors.get("i32")));
        assertEquals("003c00bc", hex(tensors.get("f16")));
        assertEquals("0000803f000000c0", hex(tensors.get("f32")));
        assertEquals("2a00000000000000", hex(tensors.get("f64")));
    }

    private static String hex(StoredTensor tensor) {
        return java.util.HexFormat.of()
                .formatHex(tensor.bytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    }

    @Test
    void refusesByNameWhatItWouldOtherwiseLeaveOut() {
        ProtobufWriter weight = tensor("onnx::MatMul_1", 1, new long[] {2, 2}).bytes(9, zeros(16));
        ProtobufWriter bias = tensor("a.bias", 1, new long[] {3}).bytes(9, zeros(12));
        ProtobufWriter quantised = tensor("w_quantized", 3, new long[] {4}).bytes(9, zeros(4));
        assertRefused("'onnx::MatMul_1' has no name", graph -> graph.message(5, weight));
        assertRefused("is quantised", graph -> graph.message(5, quantised));
        assertRefused("stands there twice", graph -> graph.message(5, bias).message(5, bias));
        assertRefused(
                "its weight has 2 outputs",
                graph ->
                        graph.message(5, weight)
                                .message(5, bias)
                                .message(1, node("MatMul", List.of("x", "onnx::MatMul_1"), "y"))
                                .message(1, node("Add", List.of("y", "a.bias"), "z")));
        assertRefused(
                "kept in another file",
                graph -> graph.message(5, tensor("a", 1, new long[] {2}).integer(14, 1)));
        assertRefused(
                "has its data twice",
                graph ->
                        graph.message(
                                5, tensor("a", 1, new long[] {1}).bytes(9, zeros(4)).f32(4, 1)));
        assertRefused(
                "takes 8 bytes, 4 came",
                graph -> graph.message(5, tensor("a", 1, new long[] {2}).bytes(9, zeros(4))));
        assertRefused(
                "negative",
                graph -> graph.message(5, tensor("a", 1, new long[] {-2}).bytes(9, zeros(8))));
        assertRefused(
                "unknown data type 99",
                graph -> graph.message(5, tensor("a", 99, new long[] {1}).bytes(9, zeros(4))));
        assertRefused("sparse", graph -> graph.message(15, new ProtobufWriter()));
        assertRefused(
                "scaled or transposed",
                graph ->
                        graph.message(5, weight)
                                .message(
                                        1,
                                        node("Gemm", List.of("x", "onnx::MatMul_1"), "y")
                                                .message(
                                                        5,
                                                        new ProtobufWriter()
                                                                .string(1, "alpha")
                                                                .f32(2, 0.5f))));
        assertRefused(
                "two different tensors would be named 'a.weight'",
                graph ->
                        graph.message(5, tensor("a.weight", 1, new long[] {2}).bytes(9, zeros(8)))
                                .message(5, weight)
                                .message(5, tensor("a.bias", 1, new long[] {2}).bytes(9, zeros(8)))
                                .message(1, node("MatMul", List.of("x", "onnx::MatMul_1"), "y"))
                                .message(1, node("Add", List.of("y", "a.bias"), "z")));
    }

    @Test
    void refusesWhatIsNoModel() {
        assertThrows(CheckpointException.class, () -> read(new byte[0]));
        assertThrows(CheckpointException.class, () -> read("not a model".getBytes()));
    }

    /** Each of these leaves the graph readable but says something else about the encoder. */
    @ParameterizedTest
    @ValueSource(strings = {"Erf", "Sqrt", "Reshape", "Concat"})
    void refusesAGraphThatIsNoBert(String op) {
        OnnxModel model = read(new TinyBert(Style.FOLDED).model());
        Collection<Weight> weights = OnnxWeights.of("tiny", model);
        List<OnnxModel.Node> nodes =
                model.nodes().stream().filter(node -> !node.op().equals(op)).toList();
        OnnxModel without =
                new OnnxModel("", nodes, model.initializers(), model.inputs(), model.outputs());
        CheckpointException e =
                assertThrows(
                        CheckpointException.class, () -> OnnxBert.of("tiny", without, weights));
        assertTrue(e.getMessage().contains("this is no BERT encoder"), e.getMessage());
    }
}

package io.cyclane.model.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An ONNX graph of a small BERT encoder, built as exporters build it, and the weights it must
 * yield.
 *
 * <p>Weight number n holds the numbers n, n + 1/4096, n + 2/4096 and so on, in the order of the
 * checkpoint; so every element of every tensor tells where it belongs.
 */
final class TinyBert {
    static final int VOCABULARY = 11;
    static final int POSITIONS = 16;
    static final int HIDDEN = 8;
    static final int HEADS = 2;
    static final int INTERMEDIATE = 12;
    static final int LAYERS = 2;
    static final float EPSILON = 1e-12f;

    /** How exporters differ. */
    enum Style {
        /** MatMul and Add, weights folded and nameless, norms taken apart, data as bytes. */
        FOLDED,
        /** Gemm with transB, norms whole, data as packed floats. */
        GEMM,
        /** As FOLDED, but weights have kept their names. */
        NAMED
    }

    private final Style style;
    private final ProtobufWriter graph = new ProtobufWriter();
    private final Map<String, float[]> weights = new TreeMap<>();
    private int nextWeight;
    private int nextValue;
    private String droppedBias = "";

    TinyBert(Style style) {
        this.style = style;
    }

    /** Leaves out the bias of that name, as a model without it would. */
    TinyBert withoutBias(String name) {
        droppedBias = name;
        return this;
    }

    /** The weights by checkpoint name, linear ones with a row per output feature. */
    Map<String, float[]> weights() {
        return weights;
    }

    byte[] model() {
        String x = embeddings();
        for (int layer = 0; layer < LAYERS; layer++) {
            String stem = "encoder.layer." + layer + ".";
            List<String> heads = new ArrayList<>();
            for (String part : List.of("query", "key", "value")) {
                String y = linear(x, stem + "attention.self." + part, HIDDEN, HIDDEN);
                heads.add(node("Reshape", List.of(y, headShape(layer))));
            }
            String scores = node("MatMul", heads.subList(0, 2));
            String mixed = node("MatMul", List.of(node("Softmax", List.of(scores)), heads.get(2)));
            String a = linear(mixed, stem + "attention.output.dense", HIDDEN, HIDDEN);
            String y = norm(node("Add", List.of(a, x)), stem + "attention.output.LayerNorm");
            String wide = linear(y, stem + "intermediate.dense", HIDDEN, INTERMEDIATE);
            String gelu = node("Mul", List.of(wide, node("Erf", List.of(wide))));
            String narrow = linear(gelu, stem + "output.dense", INTERMEDIATE, HIDDEN);
            x = norm(node("Add", List.of(narrow, y)), stem + "output.LayerNorm");
        }
        graph.message(11, new ProtobufWriter().string(1, "input_ids"));
        graph.message(12, new ProtobufWriter().string(1, x));
        return new ProtobufWriter()
                .integer(1, 8)
                .string(2, "test")
                .string(3, "1")
                .message(7, graph)
                .message(8, new ProtobufWriter().integer(2, 17))
                .toArray();
    }

    private String embeddings() {
        String words = table("embeddings.word_embeddings.weight", VOCABULARY);
        String positions = table("embeddings.position_embeddings.weight", POSITIONS);
        String types = table("embeddings.token_type_embeddings.weight", 2);
        initializer("embeddings.position_ids", 7, new long[] {1, POSITIONS}, new byte[128]);
        String x = node("Gather", List.of(words, "input_ids"));
        String y = node("Add", List.of(x, node("Gather", List.of(types, "token_type_ids"))));
        String z = node("Gather", List.of(positions, "embeddings.position_ids"));
        return norm(node("Add", List.of(y, z)), "embeddings.LayerNorm");
    }

    private String table(String name, int rows) {
        floats(name, weight(name, rows * HIDDEN), rows, HIDDEN);
        return name;
    }

    private String linear(String x, String stem, int inputs, int outputs) {
        String bias = stem + ".bias";
        if (!bias.equals(droppedBias)) {
            floats(bias, weight(bias, outputs), outputs);
        }
        float[] rows = weight(stem + ".weight", inputs * outputs);
        String name = style == Style.NAMED ? stem + ".weight" : "onnx::MatMul_" + nextValue++;
        if (style == Style.GEMM) {
            floats(name, rows, outputs, inputs);
            ProtobufWriter transposed = new ProtobufWriter().string(1, "transB").integer(3, 1);
            List<String> operands =
                    bias.equals(droppedBias) ? List.of(x, name) : List.of(x, name, bias);
            return node("Gemm", operands, transposed);
        }
        float[] columns = new float[rows.length];
        for (int output = 0; output < outputs; output++) {
            for (int input = 0; input < inputs; input++) {
                columns[input * outputs + output] = rows[output * inputs + input];
            }
        }
        floats(name, columns, inputs, outputs);
        String product = node("MatMul", List.of(x, name));
        return bias.equals(droppedBias) ? product : node("Add", List.of(bias, product));
    }

    private String norm(String x, String stem) {
        floats(stem + ".weight", weight(stem + ".weight", HIDDEN), HIDDEN);
        floats(stem + ".bias", weight(stem + ".bias", HIDDEN), HIDDEN);
        if (style == Style.GEMM) {
            ProtobufWriter epsilon = new ProtobufWriter().string(1, "epsilon").f32(2, EPSILON);
            List<String> operands = List.of(x, stem + ".weight", stem + ".bias");
            return node("LayerNormalization", operands, epsilon);
        }
        String centred = node("Sub", List.of(x, node("ReduceMean", List.of(x))));
        String variance = node("ReduceMean", List.of(node("Pow", List.of(centred))));
        byte[] epsilon = bytes(new float[] {EPSILON});
        String sum = node("Add", List.of(variance, constant(1, new long[0], epsilon)));
        String unit = node("Div", List.of(centred, node("Sqrt", List.of(sum))));
        String scaled = node("Mul", List.of(unit, stem + ".weight"));
        return node("Add", List.of(scaled, stem + ".bias"));
    }

    private String headShape(int layer) {
        byte[] two = longs(HEADS, HIDDEN / HEADS);
        if (layer == 0) {
            return constant(7, new long[] {4}, longs(0, 0, HEADS, HIDDEN / HEADS));
        }
        String unknown = node("Unsqueeze", List.of(node("Shape", List.of("input_ids"))));
        String heads = constant(7, new long[] {1}, Arrays.copyOf(two, 8));
        String width = constant(7, new long[] {1}, Arrays.copyOfRange(two, 8, 16));
        return node("Concat", List.of(unknown, unknown, heads, width));
    }

    private String constant(int type, long[] extents, byte[] raw) {
        ProtobufWriter tensor = new ProtobufWriter().integers(1, extents).integer(2, type);
        tensor.bytes(9, MemorySegment.ofArray(raw));
        return node(
                "Constant", List.of(), new ProtobufWriter().string(1, "value").message(5, tensor));
    }

    private String node(String op, List<String> inputs, ProtobufWriter... attributes) {
        ProtobufWriter node = new ProtobufWriter();
        inputs.forEach(input -> node.string(1, input));
        String output = "/value_" + nextValue++;
        node.string(2, output).string(3, "/" + op + "_" + nextValue).string(4, op);
        for (ProtobufWriter attribute : attributes) {
            node.message(5, attribute);
        }
        graph.message(1, node);
        return output;
    }

    private float[] weight(String name, int elements) {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = nextWeight + i * 0x1p-12f;
        }
        nextWeight++;
        weights.put(name, values);
        return values;
    }

    private void floats(String name, float[] values, long... extents) {
        if (style == Style.GEMM) {
            graph.message(
                    5,
                    new ProtobufWriter()
                            .integers(1, extents)
                            .integer(2, 1)
                            .bytes(4, MemorySegment.ofArray(bytes(values)))
                            .string(8, name));
        } else {
            initializer(name, 1, extents, bytes(values));
        }
    }

    private void initializer(String name, int type, long[] extents, byte[] raw) {
        ProtobufWriter tensor = new ProtobufWriter();
        for (long extent : extents) {
            tensor.integer(1, extent); // one by one, where constants above have them packed
        }
        tensor.integer(2, type).string(8, name).bytes(9, MemorySegment.ofArray(raw));
        graph.message(5, tensor);
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return bytes.array();
    }
}

package io.cyclane.model.onnx;

import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.program.Step;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What attention and rotary positions are in an ONNX graph. */
final class OnnxAttention {
    /** What is added to scores of keys that are not to be seen: their weight is then 0. */
    private static final float UNSEEN = -1e30f;

    private static final int FLOAT = 1;

    private final OnnxWriter graph;
    private final boolean isFused;
    private final Map<Integer, String> biases = new HashMap<>();
    private final Map<String, List<String>> angles = new HashMap<>();
    private final Map<String, String> places = new HashMap<>();

    OnnxAttention(OnnxWriter graph, boolean isFused) {
        this.graph = graph;
        this.isFused = isFused;
    }

    /** {@return what is added to scores: 0 where a key may be seen} */
    String seen(Attention op) {
        return biases.computeIfAbsent(op.window(), this::bias);
    }

    /** Attention on query, key and value, [batch, sequence, width]. */
    String attend(Attention op, int width, List<String> from) {
        String bias = seen(op);
        String query = heads(from.get(0), op.heads(), width, List.of(0L, 2L, 1L, 3L));
        String key = heads(from.get(1), op.heads(), width, List.of(0L, 2L, 3L, 1L));
        String value = heads(from.get(2), op.heads(), width, List.of(0L, 2L, 1L, 3L));
        String products = graph.node("MatMul", query, key).one();
        String scores = graph.node("Mul", products, graph.number(op.scale())).one();
        String seen = graph.node("Add", scores, bias).one();
        String weights = graph.node("Softmax", seen).with("axis", -1).one();
        String mixed = graph.node("MatMul", weights, value).one();
        String rows = graph.node("Transpose", mixed).with("perm", List.of(0L, 2L, 1L, 3L)).one();
        return graph.node("Reshape", rows, graph.integers(0, 0, width)).one();
    }

    private String heads(String x, int heads, int width, List<Long> order) {
        String parted = graph.node("Reshape", x, graph.integers(0, 0, heads, width / heads)).one();
        return graph.node("Transpose", parted).with("perm", order).one();
    }

    /**
     * 0 where a key may be seen: a real token, near enough; [batch, 1, sequence or 1, sequence].
     */
    private String bias(int window) {
        String real = graph.node("Cast", OnnxProgram.MASK).with("to", FLOAT).one();
        String padding = graph.node("Sub", graph.number(1), real).one();
        String hidden = graph.node("Mul", padding, graph.number(UNSEEN)).one();
        String bias = graph.node("Unsqueeze", hidden, graph.integers(1, 2)).one();
        if (window == 0 && !isFused) {
            return bias;
        }
        String places = OnnxMath.range(graph, OnnxProgram.IDS);
        String place = graph.node("Cast", places).with("to", FLOAT).one();
        String rows = graph.node("Unsqueeze", place, graph.integers(1)).one();
        String columns = graph.node("Unsqueeze", place, graph.integers(0)).one();
        String distance = graph.node("Abs", graph.node("Sub", rows, columns).one()).one();
        // The fused operation wants a row per query, also where all see the same.
        float limit = window == 0 ? Float.MAX_VALUE : window;
        String far = graph.node("Greater", distance, graph.number(limit)).one();
        String outside =
                graph.node(
                                "Mul",
                                graph.node("Cast", far).with("to", FLOAT).one(),
                                graph.number(UNSEEN))
                        .one();
        return graph.node("Add", bias, outside).one();
    }

    /** Turns x, [batch, sequence, heads x K], by its rotary angles. */
    String turn(Step.Apply apply, List<String> from) {
        int width = apply.inputs().get(0).shape().last();
        int headWidth = apply.inputs().get(1).shape().last();
        if (isFused) {
            return turnAtOnce(from, width / headWidth);
        }
        List<String> turns =
                angles.computeIfAbsent(
                        from.get(1) + " " + from.get(2), _ -> angles(from.get(1), from.get(2)));
        String cosine = turns.get(0);
        String sine = turns.get(1);
        String parted =
                graph.node(
                                "Reshape",
                                from.get(0),
                                graph.integers(0, 0, width / headWidth, headWidth))
                        .one();
        List<String> halves = OnnxMath.split(graph, parted, 2);
        String low =
                graph.node("Sub", product(halves.get(0), cosine), product(halves.get(1), sine))
                        .one();
        String high =
                graph.node("Add", product(halves.get(1), cosine), product(halves.get(0), sine))
                        .one();
        String turned = graph.node("Concat", low, high).with("axis", -1).one();
        return graph.node("Reshape", turned, graph.integers(0, 0, width)).one();
    }

    /** The same by the runtime's own operation, for places that follow each other. */
    private String turnAtOnce(List<String> from, int heads) {
        List<String> tables =
                angles.computeIfAbsent(from.get(1), table -> OnnxMath.split(graph, table, 2));
        String first =
                places.computeIfAbsent(
                        from.get(2),
                        all -> {
                            String zero = graph.integers(0);
                            String column = graph.node("Gather", all, zero).with("axis", 1).one();
                            return graph.node("Squeeze", column, zero).one();
                        });
        return graph.node("RotaryEmbedding", from.get(0), first, tables.get(0), tables.get(1))
                .ofRuntime()
                .with("num_heads", heads)
                .one();
    }

    private String product(String x, String y) {
        return graph.node("Mul", x, y).one();
    }

    /** Cosines and sines of all places, [1, sequence, 1, K / 2] each. */
    private List<String> angles(String table, String positions) {
        String rows = graph.node("Gather", table, positions).one();
        String column = graph.node("Unsqueeze", rows, graph.integers(2)).one();
        return OnnxMath.split(graph, column, 2);
    }
}

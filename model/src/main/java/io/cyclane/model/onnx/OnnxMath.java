package io.cyclane.model.onnx;

import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.RmsNorm;
import java.util.List;

/** What functions, norms and splits are in an ONNX graph. */
final class OnnxMath {
    private OnnxMath() {}

    static String activate(OnnxWriter graph, String x, Activation function) {
        return switch (function) {
            case IDENTITY -> x;
            case GELU -> graph.node("Gelu", x).with("approximate", "none").one();
            case GELU_TANH -> graph.node("Gelu", x).with("approximate", "tanh").one();
            case SILU -> graph.node("Mul", x, graph.node("Sigmoid", x).one()).one();
            case RELU -> graph.node("Relu", x).one();
            case TANH -> graph.node("Tanh", x).one();
        };
    }

    static String glu(OnnxWriter graph, String x, Activation function) {
        List<String> halves = split(graph, x, 2);
        return graph.node("Mul", activate(graph, halves.get(0), function), halves.get(1)).one();
    }

    static List<String> split(OnnxWriter graph, String x, int parts) {
        return graph.nodes(parts, "Split", x).with("axis", -1).with("num_outputs", parts).all();
    }

    static String layerNorm(OnnxWriter graph, LayerNorm norm, List<String> from) {
        return graph.node("LayerNormalization", from.toArray(String[]::new))
                .with("axis", -1)
                .with("epsilon", norm.eps())
                .one();
    }

    static String rmsNorm(OnnxWriter graph, RmsNorm norm, List<String> from) {
        String x = from.get(0);
        String squares = graph.node("Mul", x, x).one();
        String mean = graph.node("ReduceMean", squares, graph.integers(-1)).one();
        String root =
                graph.node("Sqrt", graph.node("Add", mean, graph.number(norm.eps())).one()).one();
        return graph.node("Mul", graph.node("Div", x, root).one(), from.get(1)).one();
    }

    static String l2Normalize(OnnxWriter graph, String x, float floor) {
        String length = graph.node("ReduceL2", x, graph.integers(-1)).one();
        return graph.node("Div", x, graph.node("Max", length, graph.number(floor)).one()).one();
    }

    /**
     * The places {@code first}, {@code first + 1} .. of a sequence's tokens, the same for all: [1,
     * sequence].
     */
    static String positions(OnnxWriter graph, String ids, int first) {
        String range = range(graph, ids);
        if (first != 0) {
            range = graph.node("Add", range, graph.integers(first)).one();
        }
        return graph.node("Unsqueeze", range, graph.integers(0)).one();
    }

    /** The numbers 0 to sequence - 1, [sequence]. */
    static String range(OnnxWriter graph, String ids) {
        String shape = graph.node("Shape", ids).with("start", 1).one();
        String length = graph.node("Squeeze", shape).one();
        String zero = graph.node("Squeeze", graph.integers(0)).one();
        String one = graph.node("Squeeze", graph.integers(1)).one();
        return graph.node("Range", zero, length, one).one();
    }
}

package io.cyclane.model.onnx;

import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * What ONNX Runtime has single operations for where a program has several.
 *
 * <p>Dense layers and sums wait, under names that no graph has, until it is known what reads them:
 * a bias may go to the attention or the norm behind it, a sum into a norm (a bias before GELU ONNX
 * Runtime finds itself). What nothing of the kind reads is written as it stands. A dense layer
 * whose columns are dealt to several results is as many products, for weights are cut once, when a
 * model is loaded, and products would be with each run.
 */
final class OnnxFusions {
    /** A value that is not in the graph yet. */
    private sealed interface Waiting {}

    /** One of the equal parts of the columns of x . weight^T [+ bias]; no bias has no name. */
    private record Dense(String x, String weight, String bias, int part, int parts)
            implements Waiting {
        Dense withoutBias() {
            return new Dense(x, weight, "", part, parts);
        }
    }

    private record Sum(String x, String y) implements Waiting {}

    private final OnnxWriter graph;
    private final UnaryOperator<String> transposed;
    private final Map<Tensor, Integer> reads = new HashMap<>();
    private final Map<String, Waiting> waiting = new HashMap<>();
    private final Map<Waiting, String> names = new HashMap<>();
    private final Map<Waiting, String> written = new HashMap<>();
    private final Map<String, List<String>> cuts = new HashMap<>();

    /**
     * The fusions of a program.
     *
     * @param transposed turns a matrix over
     */
    OnnxFusions(OnnxWriter graph, Program program, UnaryOperator<String> transposed) {
        this.graph = graph;
        this.transposed = transposed;
        count(program.steps());
        program.outputs().values().forEach(this::count);
    }

    private void count(List<Step> steps) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> apply.inputs().forEach(this::count);
                case Step.Update update -> count(update.value());
                case Step.Repeat repeat -> {
                    repeat.carries().forEach(carry -> count(carry.start()));
                    repeat.carries().forEach(carry -> count(carry.end()));
                    repeat.collected().forEach(collected -> count(collected.each()));
                    count(repeat.body());
                }
            }
        }
    }

    private void count(Tensor tensor) {
        reads.merge(tensor, 1, Integer::sum);
    }

    /**
     * {@return what stands for an operation, or nothing where that is the same for all runtimes}
     *
     * @param from its inputs, which may wait
     */
    List<String> results(Op op, Step.Apply apply, List<String> from) {
        String x = from.getFirst();
        return switch (op) {
            case Add _ when apply.inputs().get(0).type().equals(apply.inputs().get(1).type()) ->
                    List.of(name(new Sum(x, from.get(1))));
            case Glu glu -> List.of(glu(x, glu.function()));
            case LayerNorm norm ->
                    List.of(
                            layerNorm(
                                    norm,
                                    from,
                                    reads.getOrDefault(apply.inputs().getFirst(), 0) > 1));
            case Linear linear
                    when linear.equals(Linear.plain(linear.bias()).into(linear.parts())) ->
                    dense(linear, from);
            // Few of the operations are fused, and each has its line in OnnxProgram.
            default -> List.of();
        };
    }

    private String name(Waiting value) {
        String name = names.computeIfAbsent(value, _ -> "waiting " + names.size());
        waiting.put(name, value);
        return name;
    }

    /** {@return the name in the graph of a value that may have waited} */
    String value(String name) {
        Waiting value = waiting.get(name);
        return value == null ? name : value(value);
    }

    private String value(Waiting value) {
        // Not computeIfAbsent: what is read is written within.
        String known = written.get(value);
        if (known == null) {
            known =
                    switch (value) {
                        case Sum sum -> graph.node("Add", value(sum.x), value(sum.y)).one();
                        case Dense dense when dense.bias.isEmpty() ->
                                graph.node(
                                                "MatMul",
                                                dense.x,
                                                cut(transposed.apply(dense.weight), dense))
                                        .one();
                        case Dense dense ->
                                graph.node("Add", value(dense.withoutBias()), bias(dense)).one();
                    };
            written.put(value, known);
        }
        return known;
    }

    private String bias(Dense dense) {
        return cut(dense.bias, dense);
    }

    /** The columns of a constant that belong to a part. */
    private String cut(String constant, Dense dense) {
        return dense.parts == 1
                ? constant
                : cuts.computeIfAbsent(
                                constant + " / " + dense.parts,
                                _ -> OnnxMath.split(graph, constant, dense.parts))
                        .get(dense.part);
    }

    private List<String> dense(Linear linear, List<String> from) {
        String x = value(from.get(0));
        String bias = linear.bias() ? from.get(2) : "";
        return IntStream.range(0, linear.parts())
                .mapToObj(part -> name(new Dense(x, from.get(1), bias, part, linear.parts())))
                .toList();
    }

    private String glu(String x, Activation function) {
        if (waiting.get(x) instanceof Dense dense && dense.parts == 1) {
            String a = name(new Dense(dense.x, dense.weight, dense.bias, 0, 2));
            Dense b = new Dense(dense.x, dense.weight, dense.bias, 1, 2);
            String gate = OnnxMath.activate(graph, value(a), function);
            return graph.node("Mul", gate, value(b)).one();
        }
        return OnnxMath.glu(graph, value(x), function);
    }

    /**
     * A norm of a dense layer's result plus x takes both, and the layer's bias. Of other sums it
     * does not, for it could not tell which one is broadcast, as positions are.
     *
     * @param isRead whether others read the sum too, of which the norm then makes a result
     */
    private String layerNorm(LayerNorm norm, List<String> from, boolean isRead) {
        if (waiting.get(from.getFirst()) instanceof Sum sum
                && !written.containsKey(sum)
                && waiting.get(sum.x) instanceof Dense dense) {
            OnnxWriter.Node node =
                    graph.nodes(
                                    4,
                                    "SkipLayerNormalization",
                                    value(dense.withoutBias()),
                                    value(sum.y),
                                    from.get(1),
                                    norm.bias() ? from.get(2) : "",
                                    dense.bias.isEmpty() ? "" : bias(dense))
                            .ofRuntime()
                            .with("epsilon", norm.eps());
            List<String> results = isRead ? node.only(0, 3) : node.only(0);
            if (isRead) {
                written.put(sum, results.getLast());
            }
            return results.getFirst();
        }
        return OnnxMath.layerNorm(graph, norm, from.stream().map(this::value).toList());
    }

    /**
     * Attention on query, key and value, which may wait.
     *
     * @param seen what is added to scores, [batch, 1, sequence, sequence]
     */
    String attend(Attention op, List<String> from, String seen) {
        String bias = commonBias(from);
        List<String> each =
                from.subList(0, 3).stream()
                        .map(name ->
                                !bias.isEmpty() && waiting.get(name) instanceof Dense dense
                                        ? value(dense.withoutBias())
                                        : value(name))
                        .toList();
        return graph.node(
                        "MultiHeadAttention", each.get(0), each.get(1), each.get(2), bias, "", seen)
                .ofRuntime()
                .with("num_heads", op.heads())
                .with("scale", op.scale())
                .one();
    }

    /** The bias of the layer whose three parts they are in this order; else none. */
    private String commonBias(List<String> from) {
        if (!(waiting.get(from.getFirst()) instanceof Dense first)) {
            return "";
        }
        for (int i = 0; i < 3; i++) {
            Dense wanted = new Dense(first.x, first.weight, first.bias, i, 3);
            if (!wanted.equals(waiting.get(from.get(i)))) {
                return "";
            }
        }
        return first.bias;
    }
}

package io.cyclane.model.checkpoint;

import io.cyclane.model.checkpoint.OnnxModel.Attribute;
import io.cyclane.model.checkpoint.OnnxModel.Node;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a BERT encoder, read off its exported graph.
 *
 * <p>Widths and counts are the extents of its weights; the number of heads stands in the shape that
 * queries are split into, epsilon in the norms, the activation in the ops between the two halves of
 * a feed-forward layer. What the graph leaves open is refused.
 */
record OnnxBert(
        int vocabulary,
        int positions,
        int tokenTypes,
        int hidden,
        int layers,
        int heads,
        int intermediate,
        String activation,
        double epsilon) {
    private static final String LAYER = "encoder.layer.";
    private static final String QUERY = ".attention.self.query.";

    /**
     * {@return the configuration}
     *
     * @throws CheckpointException when the graph is not that of a BERT encoder
     */
    static OnnxBert of(String source, OnnxModel model, Iterable<OnnxWeights.Weight> weights) {
        return new Reader(source, model, weights).read();
    }

    private static final class Reader {
        private final String source;
        private final OnnxModel model;
        private final Map<String, OnnxWeights.Weight> weights = new HashMap<>();
        private final Map<String, Node> makers = new HashMap<>();

        Reader(String source, OnnxModel model, Iterable<OnnxWeights.Weight> weights) {
            this.source = source;
            this.model = model;
            weights.forEach(weight -> this.weights.put(weight.name(), weight));
            for (Node node : model.nodes()) {
                node.outputs().forEach(output -> makers.put(output, node));
            }
        }

        OnnxBert read() {
            int layers = layers();
            int hidden = extent("embeddings.word_embeddings.weight", 1);
            return new OnnxBert(
                    extent("embeddings.word_embeddings.weight", 0),
                    extent("embeddings.position_embeddings.weight", 0),
                    extent("embeddings.token_type_embeddings.weight", 0),
                    hidden,
                    layers,
                    heads(layers, hidden),
                    extent(LAYER + "0.intermediate.dense.bias", 0),
                    activation(layers),
                    epsilon(layers));
        }

        private int layers() {
            int layers = 0;
            while (weights.containsKey(LAYER + layers + QUERY + "weight")) {
                layers++;
            }
            long stored =
                    weights.keySet().stream()
                            .filter(name -> name.startsWith(LAYER))
                            .map(name -> name.substring(LAYER.length()).split("\\.", 2)[0])
                            .distinct()
                            .count();
            if (layers == 0 || layers != stored) {
                throw wrong("%d layers of %d have a query weight".formatted(layers, stored));
            }
            return layers;
        }

        private int extent(String name, int axis) {
            OnnxWeights.Weight weight = weights.get(name);
            if (weight == null || weight.stored().rank() <= axis) {
                throw wrong("there is no weight '%s' of more than %d axes".formatted(name, axis));
            }
            return weight.stored().extent(axis);
        }

        private int heads(int layers, int hidden) {
            Set<Integer> heads = new TreeSet<>();
            int found = 0;
            for (Node reshape : model.nodes()) {
                if (!reshape.op().equals("Reshape") || !isQuery(reshape.input(0))) {
                    continue;
                }
                found++;
                List<Long> shape = lastOfShape(reshape.input(1));
                boolean fits =
                        shape.size() == 2
                                && shape.getFirst() > 0
                                && shape.getFirst() <= hidden
                                && shape.getFirst() * shape.getLast() == hidden;
                if (!fits) {
                    throw wrong(
                            "node '%s' reshapes queries of width %d to %s"
                                    .formatted(reshape.name(), hidden, shape));
                }
                heads.add(shape.getFirst().intValue());
            }
            if (found != layers || heads.size() != 1) {
                throw wrong(
                        "%d queries of %d layers are reshaped to heads, to %s of them"
                                .formatted(found, layers, heads));
            }
            return heads.iterator().next();
        }

        private boolean isQuery(String value) {
            Node sum = makers.get(value);
            return sum != null
                    && (sum.op().equals("Add") || sum.op().equals("Gemm"))
                    && sum.inputs().stream().anyMatch(name -> name.endsWith(QUERY + "bias"));
        }

        /** The last two extents of a shape operand: a constant, or joined from constants. */
        private List<Long> lastOfShape(String operand) {
            List<Long> shape = new ArrayList<>();
            Node maker = makers.get(operand);
            if (maker != null && maker.op().equals("Concat")) {
                for (String part : maker.inputs()) {
                    List<Long> known = integers(part);
                    shape.addAll(known.isEmpty() ? List.of(-1L) : known);
                }
            } else {
                shape.addAll(integers(operand));
            }
            return shape.size() < 2 ? List.of() : shape.subList(shape.size() - 2, shape.size());
        }

        private List<Long> integers(String value) {
            StoredTensor constant = constant(value);
            if (constant == null || constant.type() != StoredType.I64) {
                return List.of();
            }
            ValueLayout.OfLong layout =
                    ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
            List<Long> integers = new ArrayList<>();
            for (long i = 0; i < Math.min(8, constant.elements()); i++) {
                integers.add(constant.bytes().get(layout, 8 * i));
            }
            return integers;
        }

        private @Nullable StoredTensor constant(String value) {
            Node maker = makers.get(value);
            if (maker != null
                    && maker.attributes().get("value")
                            instanceof Attribute.Constant(StoredTensor constant)) {
                return constant;
            }
            return model.initializers().get(value);
        }

        private String activation(int layers) {
            Map<String, Long> counts =
                    model.nodes().stream()
                            .map(Node::op)
                            .filter(Set.of("Erf", "Relu", "Gelu", "FastGelu")::contains)
                            .collect(
                                    Collectors.groupingBy(
                                            Function.identity(), Collectors.counting()));
            if (counts.equals(Map.of("Erf", (long) layers))) {
                return "gelu";
            }
            if (counts.equals(Map.of("Relu", (long) layers))) {
                return "relu";
            }
            throw wrong(
                    "its activation is not known: of Erf and Relu one per layer is expected, not "
                            + counts);
        }

        /** Every norm adds the same number before the root, or has it as an attribute. */
        private double epsilon(int layers) {
            Set<Double> found = new TreeSet<>();
            int norms = 0;
            for (Node node : model.nodes()) {
                if (node.op().equals("LayerNormalization")) {
                    norms++;
                    found.add(decimal(node.real("epsilon", 1e-5f)));
                } else if (node.op().equals("Sqrt") && isSumWithScalar(node, found)) {
                    norms++;
                }
            }
            if (found.size() != 1 || norms != 2 * layers + 1) {
                throw wrong(
                        "%d norms with the epsilons %s, 2 * %d + 1 with one are expected"
                                .formatted(norms, found, layers));
            }
            return found.iterator().next();
        }

        private boolean isSumWithScalar(Node root, Set<Double> to) {
            Node sum = makers.get(root.input(0));
            if (sum == null || !sum.op().equals("Add")) {
                return false;
            }
            for (String input : sum.inputs()) {
                StoredTensor constant = constant(input);
                if (constant != null
                        && constant.type() == StoredType.F32
                        && constant.elements() == 1) {
                    ValueLayout.OfFloat layout =
                            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
                    to.add(decimal(constant.bytes().get(layout, 0)));
                    return true;
                }
            }
            return false;
        }

        /** The number somebody wrote, 1e-12, rather than the float nearest to it. */
        private static double decimal(float f) {
            return Double.parseDouble(Float.toString(f));
        }

        private CheckpointException wrong(String what) {
            return new CheckpointException(source + ": this is no BERT encoder: " + what);
        }
    }
}

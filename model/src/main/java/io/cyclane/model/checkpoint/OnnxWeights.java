package io.cyclane.model.checkpoint;

import io.cyclane.model.checkpoint.OnnxModel.Attribute;
import io.cyclane.model.checkpoint.OnnxModel.Node;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Gives the weights of an exported graph the names they had in the checkpoint it was made from.
 *
 * <p>Exporters fold the transpose of a linear layer into its weight and lose its name on the way
 * ({@code onnx::MatMul_787}), but the bias keeps its own. So the weight of the product that a bias
 * {@code x.bias} is added to is {@code x.weight}, turned back to a row per output feature. Tensors
 * that were found equal are stored once, with an {@code Identity} under each further name.
 *
 * <p>A float tensor of more than one element that has neither a name nor a bias to name it by is
 * refused, and so is a quantised one: nothing is left out in silence.
 */
final class OnnxWeights {
    /**
     * A weight and its name.
     *
     * @param stored as it lies in the graph
     * @param isTransposed whether {@code stored} has a column per output feature
     */
    record Weight(String name, StoredTensor stored, boolean isTransposed) {
        /** {@return the extents, with a row per output feature} */
        List<Long> extents() {
            return isTransposed ? stored.extents().reversed() : stored.extents();
        }

        /** Writes the weight as F32; the contract is that of {@link Checkpoint#floats}. */
        void floats(MemorySegment to) {
            if (!isTransposed) {
                Widening.floats(stored, to);
                return;
            }
            int inputs = stored.extent(0);
            int outputs = stored.extent(1);
            float[] byInput = new float[Math.multiplyExact(inputs, outputs)];
            Widening.floats(stored, MemorySegment.ofArray(byInput));
            float[] row = new float[inputs];
            for (int output = 0; output < outputs; output++) {
                for (int input = 0; input < inputs; input++) {
                    row[input] = byInput[input * outputs + output];
                }
                MemorySegment.copy(
                        row, 0, to, ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * inputs * output, inputs);
            }
        }
    }

    private final String source;
    private final OnnxModel model;
    private final Map<String, StoredTensor> constants = new LinkedHashMap<>();
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Map<String, Weight> weights = new TreeMap<>();
    private final Set<String> named = new HashSet<>();

    private OnnxWeights(String source, OnnxModel model) {
        this.source = source;
        this.model = model;
    }

    /**
     * {@return all float weights, ordered by name}
     *
     * @throws CheckpointException naming a tensor that can not be given a name
     */
    static Collection<Weight> of(String source, OnnxModel model) {
        return new OnnxWeights(source, model).resolve();
    }

    private Collection<Weight> resolve() {
        constants.putAll(model.initializers());
        for (Node node : model.nodes()) {
            for (String input : node.inputs()) {
                readers.computeIfAbsent(input, name -> new ArrayList<>(1)).add(node);
            }
            constant(node);
        }
        for (Node node : model.nodes()) {
            switch (node.op()) {
                case "MatMul" -> product(node);
                case "Gemm" -> gemm(node);
                default -> {} // reads no linear weight
            }
        }
        for (Map.Entry<String, StoredTensor> constant : constants.entrySet()) {
            keep(constant.getKey(), constant.getValue());
        }
        return List.copyOf(weights.values());
    }

    /** Notes a constant that a node gives: its own, or a second name of another. */
    private void constant(Node node) {
        if (node.outputs().size() != 1) {
            return;
        }
        String output = node.outputs().getFirst();
        if (node.op().equals("Constant")
                && node.attributes().get("value")
                        instanceof Attribute.Constant(StoredTensor value)) {
            constants.put(output, value);
        } else if (node.op().equals("Identity") && constants.containsKey(node.input(0))) {
            constants.put(output, constants.get(node.input(0)));
        }
    }

    private void product(Node node) {
        StoredTensor weight = constants.get(node.input(1));
        if (weight == null || !isFloat(weight) || weight.rank() != 2) {
            return;
        }
        String stored = node.input(1);
        if (isNamed(stored)) {
            put(stored, stored, weight, true);
            return;
        }
        String bias =
                biasAddedTo(node)
                        .orElseThrow(() ->
                                wrong(
                                        "initializer '%s', a weight of node '%s', has no"
                                                        .formatted(stored, node.name())
                                                + " bias to name it by"));
        checkBias(bias, weight.extent(1));
        put(weightOf(bias), stored, weight, true);
    }

    private void gemm(Node node) {
        StoredTensor weight = constants.get(node.input(1));
        if (weight == null || !isFloat(weight) || weight.rank() != 2) {
            return;
        }
        boolean isPlain =
                node.real("alpha", 1) == 1
                        && node.real("beta", 1) == 1
                        && node.integer("transA", 0) == 0;
        if (!isPlain) {
            throw wrong("node '%s': a scaled or transposed Gemm".formatted(node.name()));
        }
        boolean isTransposed = node.integer("transB", 0) == 0;
        String stored = node.input(1);
        String bias = node.input(2);
        if (isNamed(stored)) {
            put(stored, stored, weight, isTransposed);
        } else if (isNamed(bias) && bias.endsWith(".bias") && constants.containsKey(bias)) {
            checkBias(bias, weight.extent(isTransposed ? 1 : 0));
            put(weightOf(bias), stored, weight, isTransposed);
        } else {
            throw wrong(
                    "initializer '%s', a weight of node '%s', has no bias to name it by"
                            .formatted(stored, node.name()));
        }
    }

    /** The named bias in the one sum that the product goes into. */
    private Optional<String> biasAddedTo(Node product) {
        List<Node> sums = readers.getOrDefault(product.output(), List.of());
        if (sums.size() != 1 || !sums.getFirst().op().equals("Add")) {
            return Optional.empty();
        }
        return sums.getFirst().inputs().stream()
                .filter(name -> isNamed(name) && name.endsWith(".bias"))
                .filter(constants::containsKey)
                .findFirst();
    }

    private void checkBias(String bias, int outputs) {
        StoredTensor tensor = constants.get(bias);
        if (tensor == null || !tensor.extents().equals(List.of((long) outputs))) {
            throw wrong(
                    "bias '%s' is %s, its weight has %d outputs".formatted(bias, tensor, outputs));
        }
    }

    private void put(String name, String stored, StoredTensor weight, boolean isTransposed) {
        Weight before = weights.put(name, new Weight(name, weight, isTransposed));
        boolean isOther =
                before != null && (before.stored != weight || before.isTransposed != isTransposed);
        if (isOther) {
            throw wrong("two different tensors would be named '" + name + "'");
        }
        named.add(stored);
    }

    /** Takes over a tensor that is no linear weight under its own name. */
    private void keep(String name, StoredTensor tensor) {
        boolean isQuantised =
                (tensor.type() == StoredType.I8 || tensor.type() == StoredType.U8)
                        && tensor.elements() > 1;
        if (isQuantised) {
            throw wrong("tensor '%s' is quantised: export the model in F32".formatted(tensor));
        }
        if (named.contains(name) || !isFloat(tensor)) {
            return; // integers are positions and shapes
        }
        if (isNamed(name)) {
            if (weights.containsKey(name)) {
                throw wrong("two different tensors would be named '" + name + "'");
            }
            weights.put(name, new Weight(name, tensor, false));
        } else if (tensor.elements() > 1) {
            throw wrong("tensor '%s' has no name, and no bias to name it by".formatted(name));
        }
    }

    private static String weightOf(String bias) {
        return bias.substring(0, bias.length() - "bias".length()) + "weight";
    }

    /** Names that exporters make up start so, or are numbers. */
    private static boolean isNamed(String name) {
        return !name.isEmpty()
                && !name.startsWith("onnx::")
                && !name.startsWith("/")
                && !name.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean isFloat(StoredTensor tensor) {
        return switch (tensor.type()) {
            case F32, F16, BF16, F64 -> true;
            default -> false;
        };
    }

    private CheckpointException wrong(String what) {
        return new CheckpointException(source + ": " + what);
    }
}

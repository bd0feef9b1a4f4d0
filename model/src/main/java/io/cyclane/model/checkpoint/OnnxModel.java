package io.cyclane.model.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The graph of an ONNX model and its stored tensors.
 *
 * <p>Reads what a weight conversion needs of {@code onnx.proto} (onnx/onnx, IR version 3 and
 * later): nodes with their attributes, initializers, names of inputs and outputs. Tensors kept
 * outside the file, sparse ones, functions and nodes with sub-graphs are refused by name. Tensor
 * bytes are parts of the window that was read, not copies, where they are stored raw.
 *
 * @param producer the exporting program and its version, as the file has it
 * @param nodes in the file's order, which is an order of computation
 * @param initializers by name, in the file's order
 */
public record OnnxModel(
        String producer,
        List<Node> nodes,
        Map<String, StoredTensor> initializers,
        List<String> inputs,
        List<String> outputs) {
    /** Collections are copied. */
    public OnnxModel {
        nodes = List.copyOf(nodes);
        initializers = Collections.unmodifiableMap(new LinkedHashMap<>(initializers));
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /**
     * One operation: {@code outputs = op(inputs)}. An input left out has an empty name.
     *
     * @param name for people; may be empty and need not be unique
     */
    public record Node(
            String op,
            String name,
            List<String> inputs,
            List<String> outputs,
            Map<String, Attribute> attributes) {
        /** Collections are copied. */
        public Node {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
            attributes = Map.copyOf(attributes);
        }

        /** {@return the name of an input, empty if it is left out} */
        public String input(int index) {
            return index < inputs.size() ? inputs.get(index) : "";
        }

        /** {@return the name of the first output, empty if there is none} */
        public String output() {
            return outputs.isEmpty() ? "" : outputs.getFirst();
        }

        /** {@return the integer attribute of that name, or what it is when left out} */
        public long integer(String attribute, long otherwise) {
            return attributes.get(attribute) instanceof Attribute.Integer(long value)
                    ? value
                    : otherwise;
        }

        /** {@return the float attribute of that name, or what it is when left out} */
        public float real(String attribute, float otherwise) {
            return attributes.get(attribute) instanceof Attribute.Real(float value)
                    ? value
                    : otherwise;
        }
    }

    /** The value of an attribute; text, lists of floats and other kinds are not kept. */
    public sealed interface Attribute {
        /** A 32-bit float. */
        record Real(float value) implements Attribute {}

        /** An integer. */
        record Integer(long value) implements Attribute {}

        /** A list of integers. */
        record Integers(List<Long> values) implements Attribute {}

        /** A constant. */
        record Constant(StoredTensor value) implements Attribute {}
    }

    /**
     * Reads a model.
     *
     * @param source the file in words, for errors
     * @param window the whole file
     * @throws CheckpointException when it is not an ONNX model or holds what is refused
     */
    public static OnnxModel read(String source, MemorySegment window) {
        String producer = "";
        String version = "";
        Optional<MemorySegment> graph = Optional.empty();
        Protobuf model = new Protobuf(source, window);
        while (model.next()) {
            switch (model.field()) {
                case 2 -> producer = model.string();
                case 3 -> version = model.string();
                case 7 -> {
                    if (graph.isPresent()) {
                        throw new CheckpointException(source + ": it has two graphs");
                    }
                    graph = Optional.of(model.bytes());
                }
                case 25 -> throw new CheckpointException(source + ": model-local functions");
                default -> {} // versions, operator sets, remarks
            }
        }
        MemorySegment found =
                graph.orElseThrow(
                        () -> new CheckpointException(source + ": no graph; is this ONNX?"));
        return new OnnxReader(source, window.byteSize())
                .graph(found, (producer + " " + version).strip());
    }
}

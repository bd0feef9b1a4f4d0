package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Builds an ONNX model, node by node, in an order of computation; the counterpart of {@link
 * OnnxModel}.
 *
 * <p>Tensor bytes are kept by reference until the file is written. IR version 9, operator set 20,
 * and ONNX Runtime's own where a node asks for it. One thread at a time.
 */
public final class OnnxWriter {
    /** Protobuf readers refuse larger messages. */
    private static final long MOST_BYTES = Integer.MAX_VALUE;

    private static final int IR_VERSION = 9;
    private static final int OPERATOR_SET = 20;
    private static final String RUNTIME_DOMAIN = "com.microsoft";

    private static final int FLOAT = 1;
    private static final int INT64 = 7;

    private final String name;
    private final ProtobufWriter nodes = new ProtobufWriter();
    private final ProtobufWriter initializers = new ProtobufWriter();
    private final ProtobufWriter inputs = new ProtobufWriter();
    private final ProtobufWriter outputs = new ProtobufWriter();
    private final Map<List<Long>, String> integers = new HashMap<>();
    private final Map<Float, String> numbers = new HashMap<>();
    private boolean usesRuntimeDomain;
    private int values;

    /** An empty graph of this name. */
    public OnnxWriter(String name) {
        this.name = name;
    }

    /** One operation, whose attributes are added before it is put into the graph. */
    public final class Node {
        private final ProtobufWriter message = new ProtobufWriter();
        private final String op;
        private final int count;

        private Node(String op, List<String> from, int count) {
            this.op = op;
            this.count = count;
            from.forEach(input -> message.string(1, input));
        }

        /** Adds an integer attribute. */
        public Node with(String attribute, long value) {
            return attribute(new ProtobufWriter().string(1, attribute).integer(3, value), 2);
        }

        /** Adds a float attribute. */
        public Node with(String attribute, float value) {
            return attribute(new ProtobufWriter().string(1, attribute).f32(2, value), 1);
        }

        /** Adds a text attribute. */
        public Node with(String attribute, String value) {
            return attribute(new ProtobufWriter().string(1, attribute).string(4, value), 3);
        }

        /** Adds an attribute of several integers. */
        public Node with(String attribute, List<Long> values) {
            ProtobufWriter list = new ProtobufWriter().string(1, attribute);
            values.forEach(value -> list.integer(8, value));
            return attribute(list, 7);
        }

        private Node attribute(ProtobufWriter attribute, int type) {
            message.message(5, attribute.integer(20, type));
            return this;
        }

        /** Says that the operation is ONNX Runtime's own. */
        public Node ofRuntime() {
            usesRuntimeDomain = true;
            message.string(7, RUNTIME_DOMAIN);
            return this;
        }

        /** Puts the operation into the graph and returns the names of its results. */
        public List<String> all() {
            return only(IntStream.range(0, count).toArray());
        }

        /** Likewise, but only results at these places, in ascending order; others are left out. */
        public List<String> only(int... places) {
            String[] results = new String[places.length];
            int place = 0;
            for (int i = 0; i < places.length; i++) {
                for (; place < places[i]; place++) {
                    message.string(2, "");
                }
                results[i] = op + "_" + values++;
                message.string(2, results[i]);
                place++;
            }
            message.string(3, results[0]).string(4, op);
            nodes.message(1, message);
            return List.of(results);
        }

        /** Puts the operation into the graph and returns its one result's name. */
        public String one() {
            return all().getFirst();
        }
    }

    /** {@return an operation with one result; an input left out has an empty name} */
    public Node node(String op, String... from) {
        return new Node(op, List.of(from), 1);
    }

    /** {@return an operation with so many results} */
    public Node nodes(int count, String op, String... from) {
        return new Node(op, List.of(from), count);
    }

    /**
     * Adds a weight.
     *
     * @param floats F32, row-major, left alone until the model is written
     */
    public void weight(String weightName, List<Long> extents, MemorySegment floats) {
        tensor(weightName, FLOAT, extents, floats);
    }

    /** {@return a constant vector of integers; equal ones are one} */
    public String integers(long... vector) {
        List<Long> key = Arrays.stream(vector).boxed().toList();
        return integers.computeIfAbsent(
                key,
                _ -> {
                    ByteBuffer bytes =
                            ByteBuffer.allocate(8 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
                    bytes.asLongBuffer().put(vector);
                    String own = "integers_" + integers.size();
                    tensor(
                            own,
                            INT64,
                            List.of((long) vector.length),
                            MemorySegment.ofArray(bytes.array()));
                    return own;
                });
    }

    /** {@return a constant number; equal ones are one} */
    public String number(float value) {
        return numbers.computeIfAbsent(
                value,
                _ -> {
                    byte[] bytes = new byte[4];
                    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(value);
                    String own = "number_" + numbers.size();
                    tensor(own, FLOAT, List.of(), MemorySegment.ofArray(bytes));
                    return own;
                });
    }

    private void tensor(String tensorName, int type, List<Long> extents, MemorySegment bytes) {
        ProtobufWriter tensor = new ProtobufWriter();
        extents.forEach(extent -> tensor.integer(1, extent));
        tensor.integer(2, type).string(8, tensorName).bytes(9, bytes);
        initializers.message(5, tensor);
    }

    /**
     * Adds an input of 64-bit integers.
     *
     * @param extents a number, or the name of an extent that is known with each run
     */
    public void input(String inputName, String... extents) {
        inputs.message(11, value(inputName, INT64, extents));
    }

    /**
     * Adds an input of 64-bit integers that callers may leave out: zeros stand for it then.
     *
     * @param ofZeros their extents, which need not be the input's
     */
    public void optionalInput(String inputName, List<Long> ofZeros, String... extents) {
        input(inputName, extents);
        byte[] zeros = new byte[8 * elements(ofZeros)];
        tensor(inputName, INT64, ofZeros, MemorySegment.ofArray(zeros));
    }

    /** Adds an input of F32 numbers that callers may leave out, likewise: this stands for it. */
    public void optionalFloatInput(
            String inputName, float standIn, List<Long> ofStandIns, String... extents) {
        inputs.message(11, value(inputName, FLOAT, extents));
        ByteBuffer bytes =
                ByteBuffer.allocate(4 * elements(ofStandIns)).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putFloat(standIn);
        }
        tensor(inputName, FLOAT, ofStandIns, MemorySegment.ofArray(bytes.array()));
    }

    private static int elements(List<Long> extents) {
        return Math.toIntExact(extents.stream().reduce(1L, Math::multiplyExact));
    }

    /** Makes a value, 64-bit integers, an output under a name of its own. */
    public void integerOutput(String outputName, String value, String... extents) {
        output(outputName, value, INT64, extents);
    }

    /** Makes a value, F32, an output under a name of its own. */
    public void output(String outputName, String value, String... extents) {
        output(outputName, value, FLOAT, extents);
    }

    private void output(String outputName, String value, int type, String... extents) {
        ProtobufWriter identity = new ProtobufWriter();
        identity.string(1, value).string(2, outputName).string(3, outputName);
        nodes.message(1, identity.string(4, "Identity"));
        outputs.message(12, value(outputName, type, extents));
    }

    private static ProtobufWriter value(String valueName, int type, String... extents) {
        ProtobufWriter shape = new ProtobufWriter();
        for (String extent : extents) {
            boolean isNumber = Character.isDigit(extent.charAt(0));
            ProtobufWriter dimension = new ProtobufWriter();
            shape.message(
                    1,
                    isNumber
                            ? dimension.integer(1, Long.parseLong(extent))
                            : dimension.string(2, extent));
        }
        ProtobufWriter tensor = new ProtobufWriter().integer(1, type).message(2, shape);
        return new ProtobufWriter()
                .string(1, valueName)
                .message(2, new ProtobufWriter().message(1, tensor));
    }

    /** {@return the whole model as one message} */
    public ProtobufWriter model() {
        ProtobufWriter graph = new ProtobufWriter();
        graph.fields(nodes).string(2, name).fields(initializers).fields(inputs).fields(outputs);
        ProtobufWriter model = new ProtobufWriter().integer(1, IR_VERSION).string(2, "cyclane");
        model.message(7, graph).message(8, new ProtobufWriter().integer(2, OPERATOR_SET));
        if (usesRuntimeDomain) {
            model.message(8, new ProtobufWriter().string(1, RUNTIME_DOMAIN).integer(2, 1));
        }
        return model;
    }

    /**
     * Writes the model to a file, which it puts in place at once when it is complete.
     *
     * @throws CheckpointException when it is larger than readers take, or the disk refuses
     */
    public void write(Path path) {
        ProtobufWriter model = model();
        if (model.byteSize() > MOST_BYTES) {
            throw new CheckpointException(
                    "ONNX model '%s': it would have %d bytes, readers allow %d"
                            .formatted(path, model.byteSize(), MOST_BYTES));
        }
        Path temporary = AtomicFiles.temporary(path);
        try {
            try (FileChannel channel =
                    FileChannel.open(
                            temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                model.writeTo(channel);
            }
            AtomicFiles.install(temporary, path);
        } catch (IOException e) {
            throw new CheckpointException(
                    "ONNX model '%s': it can not be written: %s".formatted(path, e.getMessage()),
                    e);
        } finally {
            deleted(temporary);
        }
    }

    private static void deleted(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            throw new CheckpointException(
                    "'%s' can not be deleted: %s".formatted(temporary, e.getMessage()), e);
        }
    }
}

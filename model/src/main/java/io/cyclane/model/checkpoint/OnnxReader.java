package io.cyclane.model.checkpoint;

import io.cyclane.model.checkpoint.OnnxModel.Attribute;
import io.cyclane.model.checkpoint.OnnxModel.Node;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the messages of {@code onnx.proto}; the numbers are its field numbers. */
final class OnnxReader {
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int EXTERNAL = 1;

    /**
     * What a file may hold in names, nodes and single numbers: any real graph has far less than
     * this much and one for every 16 bytes. Each takes some 100 bytes of heap, so a file made of
     * nothing else can not take many times its size.
     */
    private static final long FREE_ITEMS = 1 << 16;

    private static final int BYTES_PER_ITEM = 16;

    private final String source;
    private final Map<String, String> names = new HashMap<>();
    private long itemsLeft;

    OnnxReader(String source, long fileBytes) {
        this.source = source;
        this.itemsLeft = FREE_ITEMS + fileBytes / BYTES_PER_ITEM;
    }

    OnnxModel graph(MemorySegment window, String producer) {
        List<Node> nodes = new ArrayList<>();
        Map<String, StoredTensor> initializers = new LinkedHashMap<>();
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        Protobuf graph = new Protobuf(source, window);
        while (graph.next()) {
            switch (graph.field()) {
                case 1 -> {
                    count();
                    nodes.add(node(graph.message()));
                }
                case 5 -> {
                    count();
                    StoredTensor tensor = tensor(graph.message());
                    if (initializers.put(tensor.name(), tensor) != null) {
                        throw wrong("initializer '" + tensor.name() + "' stands there twice");
                    }
                }
                case 11 -> inputs.add(nameOf(graph.message()));
                case 12 -> outputs.add(nameOf(graph.message()));
                case 15 -> throw wrong("sparse initializers are not supported");
                default -> {} // names, remarks, shapes of values between
            }
        }
        return new OnnxModel(producer, nodes, initializers, inputs, outputs);
    }

    private String nameOf(Protobuf value) {
        String name = "";
        while (value.next()) {
            if (value.field() == 1) {
                name = name(value);
            }
        }
        return name;
    }

    /** Counts one more thing to keep. */
    private void count() {
        if (--itemsLeft < 0) {
            throw wrong("it has more names and numbers than any model of its size");
        }
    }

    /** A name, of which the same text is kept once. */
    private String name(Protobuf field) {
        count();
        String name = field.string();
        String known = names.putIfAbsent(name, name);
        return known == null ? name : known;
    }

    private void integers(Protobuf field, List<Long> to) {
        field.integers(value -> {
            count();
            to.add(value);
        });
    }

    private Node node(Protobuf node) {
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        String name = "";
        String op = "";
        String domain = "";
        Map<String, Attribute> attributes = new HashMap<>();
        while (node.next()) {
            switch (node.field()) {
                case 1 -> inputs.add(name(node));
                case 2 -> outputs.add(name(node));
                case 3 -> name = name(node);
                case 4 -> op = name(node);
                case 5 -> attribute(node.message(), attributes);
                case 7 -> domain = name(node);
                default -> {} // remarks
            }
        }
        // Operators of other domains are named with theirs, so that nobody takes them for ONNX's.
        boolean isStandard = domain.isEmpty() || domain.equals("ai.onnx");
        return new Node(isStandard ? op : domain + "." + op, name, inputs, outputs, attributes);
    }

    private void attribute(Protobuf attribute, Map<String, Attribute> to) {
        String name = "";
        Attribute value = null;
        List<Long> integers = new ArrayList<>();
        while (attribute.next()) {
            switch (attribute.field()) {
                case 1 -> name = name(attribute);
                case 2 -> value = new Attribute.Real(attribute.f32());
                case 3 -> value = new Attribute.Integer(attribute.integer());
                case 5 -> value = new Attribute.Constant(tensor(attribute.message()));
                case 6, 11 -> throw wrong("attribute '" + name + "' is a graph: not supported");
                case 8 -> integers(attribute, integers);
                default -> {} // text, lists of floats, remarks, the kind
            }
        }
        if (!integers.isEmpty()) {
            value = new Attribute.Integers(List.copyOf(integers));
        }
        if (value != null) {
            to.put(name, value);
        }
    }

    private StoredTensor tensor(Protobuf tensor) {
        List<Long> extents = new ArrayList<>();
        List<MemorySegment> raw = new ArrayList<>();
        List<MemorySegment> floats = new ArrayList<>();
        List<Long> integers = new ArrayList<>();
        String name = "";
        long type = 0;
        boolean external = false;
        while (tensor.next()) {
            switch (tensor.field()) {
                case 1 -> integers(tensor, extents);
                case 2 -> type = tensor.integer();
                case 4, 10 -> {
                    count();
                    floats.add(numbers(tensor));
                }
                case 5, 7 -> integers(tensor, integers);
                case 8 -> name = name(tensor);
                case 9 -> {
                    count();
                    raw.add(tensor.bytes());
                }
                case 14 -> external = tensor.integer() == EXTERNAL;
                default -> {} // remarks; text and unsigned numbers are noticed by their absence
            }
        }
        if (external) {
            throw wrong("tensor '%s' is kept in another file: not supported".formatted(name));
        }
        StoredType stored = type(name, type);
        if (!raw.isEmpty()) {
            if (raw.size() > 1 || !floats.isEmpty() || !integers.isEmpty()) {
                throw wrong("tensor '%s' has its data twice".formatted(name));
            }
            return new StoredTensor(name, stored, extents, raw.getFirst());
        }
        if (!integers.isEmpty()) {
            return new StoredTensor(name, stored, extents, narrowed(stored, integers));
        }
        return new StoredTensor(name, stored, extents, joined(floats));
    }

    /** A repeated float or double: packed, or one by one. */
    private static MemorySegment numbers(Protobuf tensor) {
        return switch (tensor.wire()) {
            case BYTES -> tensor.bytes();
            case FIXED32 -> {
                MemorySegment one = MemorySegment.ofArray(new byte[4]);
                one.set(INT, 0, (int) tensor.integer());
                yield one;
            }
            case FIXED64, VARINT -> {
                MemorySegment one = MemorySegment.ofArray(new byte[8]);
                one.set(LONG, 0, tensor.integer());
                yield one;
            }
        };
    }

    private static MemorySegment joined(List<MemorySegment> parts) {
        if (parts.size() == 1) {
            return parts.getFirst();
        }
        long bytes = parts.stream().mapToLong(MemorySegment::byteSize).sum();
        MemorySegment all = Arena.ofAuto().allocate(bytes);
        long at = 0;
        for (MemorySegment part : parts) {
            MemorySegment.copy(part, 0, all, at, part.byteSize());
            at += part.byteSize();
        }
        return all;
    }

    /** Small types travel as varints; each takes its own width again, little-endian. */
    private static MemorySegment narrowed(StoredType type, List<Long> integers) {
        int width = type.bits() / 8;
        byte[] bytes = new byte[Math.multiplyExact(width, integers.size())];
        for (int i = 0; i < integers.size(); i++) {
            for (int b = 0; b < width; b++) {
                bytes[i * width + b] = (byte) (integers.get(i) >> (8 * b));
            }
        }
        return MemorySegment.ofArray(bytes);
    }

    /** {@code TensorProto.DataType}. */
    private StoredType type(String name, long type) {
        return switch (Math.clamp(type, -1, 100)) {
            case 1 -> StoredType.F32;
            case 2 -> StoredType.U8;
            case 3 -> StoredType.I8;
            case 4 -> StoredType.U16;
            case 5 -> StoredType.I16;
            case 6 -> StoredType.I32;
            case 7 -> StoredType.I64;
            case 9 -> StoredType.BOOL;
            case 10 -> StoredType.F16;
            case 11 -> StoredType.F64;
            case 12 -> StoredType.U32;
            case 13 -> StoredType.U64;
            case 14 -> StoredType.C64;
            case 16 -> StoredType.BF16;
            default ->
                    throw wrong("tensor '%s' is of the unknown data type %d".formatted(name, type));
        };
    }

    private CheckpointException wrong(String what) {
        return new CheckpointException(source + ": " + what);
    }
}

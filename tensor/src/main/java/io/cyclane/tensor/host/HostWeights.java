package io.cyclane.tensor.host;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Weights in host memory: one slab per weight and layout. */
final class HostWeights implements Weights {
    private static final String MASTER = "master";

    private final WeightSource source;
    private final Map<Key, Resident> residents = new LinkedHashMap<>();
    private final Map<Parameter, Long> versions = new HashMap<>();

    /**
     * Row-major copies of the weights that were replaced: what forms asked for later are packed
     * from.
     */
    private final Map<Parameter, Slab> masters = new LinkedHashMap<>();

    private long packings;
    private boolean sealed;
    private boolean closed;

    HostWeights(WeightSource source) {
        this.source = source;
    }

    /**
     * {@return where the packed form of a parameter lies; a stacked one holds the packed form of
     * each row of shape {@code each}, one after the other}
     */
    synchronized Place packed(Parameter parameter, Shape each, Packing packing) {
        if (closed) {
            throw new IllegalStateException("the weights are closed");
        }
        Key key = Key.of(parameter, each, packing);
        Resident resident = residents.get(key);
        if (resident == null) {
            resident = read(key, packing);
            residents.put(key, resident);
        }
        return new Place(resident.slab.buffer().segment(), 0);
    }

    /**
     * {@return the size of a parameter's packed form, each of its rows of shape {@code each} packed
     * as one}
     */
    static long packedBytes(Parameter parameter, Shape each, Packing packing) {
        return parameter.shape().elements() / each.elements() * packing.lengthBytes(each);
    }

    private Resident read(Key key, Packing packing) {
        Slab master = masters.get(key.parameter);
        if (sealed && master == null) {
            throw new BackendException(
                    "parameter '%s' was not packed as %s before the checkpoint was closed: compile every program of a model before sealing its weights"
                            .formatted(key.parameter.name(), key.layout));
        }
        Slab slab = Slab.allocate(packedBytes(key.parameter, key.each, packing));
        Resident resident = new Resident(slab, packing);
        boolean isPacked = false;
        try (Arena memory = Arena.ofConfined()) {
            MemorySegment rows =
                    master == null ? source.rows(key.parameter, memory) : master.buffer().segment();
            requireWhole(key.parameter, rows);
            pack(rows, key, resident);
            isPacked = true;
            return resident;
        } finally {
            if (!isPacked) {
                slab.close();
            }
        }
    }

    private static void requireWhole(Parameter parameter, MemorySegment rows) {
        long wanted = parameter.shape().elements() * Float.BYTES;
        if (rows.byteSize() != wanted) {
            throw new BackendException(
                    "parameter '%s' must be %s as F32, %d bytes; came %d"
                            .formatted(
                                    parameter.name(), parameter.shape(), wanted, rows.byteSize()));
        }
    }

    private void pack(MemorySegment rows, Key key, Resident resident) {
        long rowBytes = key.each.elements() * Float.BYTES;
        long packedBytes = resident.packing.lengthBytes(key.each);
        for (long row = 0; row * rowBytes < rows.byteSize(); row++) {
            resident.packing.pack(
                    rows.asSlice(row * rowBytes, rowBytes),
                    key.each,
                    resident.slab.buffer().segment().asSlice(row * packedBytes, packedBytes));
        }
        packings++;
    }

    @Override
    public synchronized long packings() {
        return packings;
    }

    @Override
    public synchronized long residentBytes() {
        return residentBytesByLayout().values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public synchronized Map<String, Long> residentBytesByLayout() {
        Map<String, Long> bytes = new TreeMap<>();
        residents.forEach(
                (key, resident) -> bytes.merge(key.layout, resident.slab.lengthBytes(), Long::sum));
        masters.values().forEach(slab -> bytes.merge(MASTER, slab.lengthBytes(), Long::sum));
        return bytes;
    }

    @Override
    public synchronized void seal() {
        if (!sealed) {
            sealed = true;
            source.close();
        }
    }

    @Override
    public synchronized void replace(Parameter parameter, MemorySegment rows) {
        if (closed) {
            throw new IllegalStateException("the weights are closed");
        }
        requireWhole(parameter, rows);
        Parameter stored = stored(parameter);
        Slab master = masters.computeIfAbsent(stored, _ -> Slab.allocate(rows.byteSize()));
        master.buffer().segment().copyFrom(rows);
        residents.forEach((key, resident) -> {
            if (key.parameter.equals(stored)) {
                pack(rows, key, resident);
            }
        });
        versions.merge(stored, 1L, Long::sum);
    }

    @Override
    public synchronized long version(Parameter parameter) {
        return versions.getOrDefault(stored(parameter), 0L);
    }

    @Override
    public synchronized Buffer resident(Parameter parameter, String layout) {
        for (Map.Entry<Key, Resident> entry : residents.entrySet()) {
            if (entry.getKey().parameter.equals(stored(parameter))
                    && entry.getKey().layout.equals(layout)) {
                return entry.getValue().slab.buffer();
            }
        }
        throw new BackendException(
                "parameter '%s' is not packed as %s".formatted(parameter.name(), layout));
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            seal();
            residents.values().forEach(resident -> resident.slab.close());
            residents.clear();
            masters.values().forEach(Slab::close);
            masters.clear();
        }
    }

    /** A program lowered to hold values as F64 means the same weight. */
    private static Parameter stored(Parameter parameter) {
        return new Parameter(parameter.name(), Type.f32(parameter.shape()));
    }

    /** What tells one packed form from another, but for the version, which replaces it. */
    record Key(Parameter parameter, String layout, DType precision, Shape each) {
        static Key of(Parameter parameter, Shape each, Packing packing) {
            return new Key(stored(parameter), packing.layout(), packing.precision(), each);
        }
    }

    /** A packed form and how it is made. */
    private record Resident(Slab slab, Packing packing) {}
}

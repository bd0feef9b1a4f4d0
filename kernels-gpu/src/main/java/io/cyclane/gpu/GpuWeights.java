package io.cyclane.gpu;

import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.host.PackedForm;
import io.cyclane.tensor.host.Packing;
import io.cyclane.tensor.host.PackingWalk;
import io.cyclane.tensor.host.RowsPacking;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Weights in device memory. A form is packed in host memory, where it is packed at all, and
 * uploaded once; those of one program lie in one block.
 */
final class GpuWeights implements Weights {
    /** Where a form begins in its block. */
    private static final String MASTER = "master";

    private final Gpu gpu;
    private final WeightSource source;
    private final Map<PackedForm, Resident> residents = new LinkedHashMap<>();
    private final List<Gpu.Block> blocks = new ArrayList<>();
    private final Map<Parameter, Long> versions = new HashMap<>();

    /**
     * Row-major copies of the weights that were replaced: forms asked for later are made of them.
     */
    private final Map<Parameter, Slab> masters = new LinkedHashMap<>();

    private long packings;
    private boolean sealed;
    private boolean closed;

    GpuWeights(Gpu gpu, WeightSource source) {
        this.gpu = gpu;
        this.source = source;
    }

    /** {@return the device they lie on} */
    Gpu gpu() {
        return gpu;
    }

    private record Resident(
            PackedForm form, Packing packing, Gpu.Block block, long offset, long lengthBytes) {}

    /** {@return the device's address of a form that is there} */
    synchronized long address(Parameter parameter, Shape each, Packing packing) {
        requireOpen();
        PackedForm form = PackedForm.of(parameter, each, packing);
        Resident resident = residents.get(form);
        if (resident == null) {
            throw new AssertionError(form + " was not uploaded when its program was compiled");
        }
        return resident.block.address() + resident.offset;
    }

    /**
     * Uploads every form that a walk shows and that is not there yet.
     *
     * @param needed is told before anything is allocated how many bytes that takes
     */
    synchronized void packAll(Consumer<PackingWalk.Visitor> walk, LongConsumer needed) {
        requireOpen();
        Map<PackedForm, Packing> wanted = new LinkedHashMap<>();
        walk.accept((parameter, each, packing) -> {
            PackedForm form = PackedForm.of(parameter, each, packing);
            if (!residents.containsKey(form)) {
                wanted.put(form, packing);
            }
        });
        wanted.keySet().forEach(this::requireReadable);
        long bytes = 0;
        for (Map.Entry<PackedForm, Packing> form : wanted.entrySet()) {
            bytes += DeviceMemory.aligned(form.getKey().lengthBytes(form.getValue()));
        }
        needed.accept(bytes);
        if (bytes == 0) {
            return;
        }
        Gpu.Block block = gpu.allocate(bytes, "the model's weights");
        blocks.add(block);
        long at = 0;
        for (Map.Entry<PackedForm, Packing> form : wanted.entrySet()) {
            long length = form.getKey().lengthBytes(form.getValue());
            Resident resident = new Resident(form.getKey(), form.getValue(), block, at, length);
            read(resident);
            residents.put(form.getKey(), resident);
            at += DeviceMemory.aligned(length);
        }
    }

    private void read(Resident resident) {
        Parameter parameter = resident.form.parameter();
        Slab master = masters.get(parameter);
        try (Arena memory = Arena.ofConfined()) {
            MemorySegment rows =
                    master == null ? source.rows(parameter, memory) : master.buffer().segment();
            PackedForm.requireWhole(parameter, rows.byteSize());
            upload(rows, resident);
        }
    }

    private void upload(MemorySegment rows, Resident resident) {
        packings++;
        if (resident.packing == RowsPacking.ROWS) {
            gpu.upload(rows, resident.block, resident.offset);
            return;
        }
        try (Arena memory = Arena.ofConfined()) {
            MemorySegment packed = memory.allocate(resident.lengthBytes, Slab.ALIGNMENT_BYTES);
            resident.form.pack(WeightReader.of(rows), resident.packing, packed);
            gpu.upload(packed, resident.block, resident.offset);
        }
    }

    private void requireReadable(PackedForm form) {
        if (sealed && !masters.containsKey(form.parameter())) {
            throw form.tooLate();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the weights are closed");
        }
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
        residents
                .values()
                .forEach(resident ->
                        bytes.merge(resident.form.layout(), resident.lengthBytes, Long::sum));
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
        requireOpen();
        PackedForm.requireWhole(parameter, rows.byteSize());
        Parameter stored = PackedForm.stored(parameter);
        Slab master = masters.computeIfAbsent(stored, _ -> Slab.allocate(rows.byteSize()));
        MemorySegment copy = master.buffer().segment();
        copy.copyFrom(rows);
        residents.values().stream()
                .filter(resident -> resident.form.parameter().equals(stored))
                .forEach(resident -> upload(copy, resident));
        versions.merge(stored, 1L, Long::sum);
    }

    @Override
    public synchronized long version(Parameter parameter) {
        return versions.getOrDefault(PackedForm.stored(parameter), 0L);
    }

    /** {@return a copy of a form, downloaded} */
    @Override
    public synchronized Buffer resident(Parameter parameter, String layout) {
        requireOpen();
        for (Resident resident : residents.values()) {
            if (resident.form.parameter().equals(PackedForm.stored(parameter))
                    && resident.form.layout().equals(layout)) {
                return new Buffer(
                        gpu.download(resident.block, resident.offset, resident.lengthBytes));
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
            residents.clear();
            blocks.forEach(Gpu.Block::close);
            masters.values().forEach(Slab::close);
            masters.clear();
        }
    }
}

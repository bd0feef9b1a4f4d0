package io.cyclane.tensor.host;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Weights in host memory. Forms that are packed together lie in one slab, one after the other,
 * which a system can give in huge pages; forms asked for later have slabs of their own.
 */
final class HostWeights implements Weights {
    private static final String MASTER = "master";

    /** From the last weight packed until pages are gathered. */
    private static final long GATHER_NANOS = 3_000_000_000L;

    private final WeightSource source;
    private final Map<PackedForm, Resident> residents = new LinkedHashMap<>();
    private final List<Slab> slabs = new ArrayList<>();
    private final Map<Parameter, Long> versions = new HashMap<>();

    /**
     * Row-major copies of the weights that were replaced: what forms asked for later are packed
     * from.
     */
    private final Map<Parameter, Slab> masters = new LinkedHashMap<>();

    private final AtomicLong packings = new AtomicLong();
    private final Users users = new Users("weights are");
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
        requireOpen();
        PackedForm key = PackedForm.of(parameter, each, packing);
        Resident resident = residents.get(key);
        if (resident == null) {
            requireReadable(key);
            resident = read(key, packing, slab(key.lengthBytes(packing)).buffer());
            gatherLater(slabs.size() - 1);
            residents.put(key, resident);
        }
        return new Place(resident.buffer().segment(), 0);
    }

    /** Packs every form that a walk shows and that is not there yet, several at a time. */
    synchronized void packAll(Consumer<PackingWalk.Visitor> walk) {
        requireOpen();
        Map<PackedForm, Packing> wanted = new LinkedHashMap<>();
        walk.accept((parameter, each, packing) -> {
            PackedForm key = PackedForm.of(parameter, each, packing);
            if (!residents.containsKey(key)) {
                wanted.put(key, packing);
            }
        });
        wanted.keySet().forEach(this::requireReadable);
        int before = slabs.size();
        Map<PackedForm, Buffer> places = places(wanted);
        Map<PackedForm, Resident> read = new ConcurrentHashMap<>();
        Queue<RuntimeException> failures = new ConcurrentLinkedQueue<>();
        // The largest first, each by whoever is free: a table of words takes as long as a third of
        // a model's other weights.
        Queue<Map.Entry<PackedForm, Packing>> due =
                new ConcurrentLinkedQueue<>(
                        wanted.entrySet().stream()
                                .sorted((a, b) -> Long.compare(lengthBytes(b), lengthBytes(a)))
                                .toList());
        // A stream that fails returns while others of its reads are under way, which would then
        // write to memory that the caller has freed. So none fails before all are done.
        IntStream.range(0, Runtime.getRuntime().availableProcessors())
                .parallel()
                .forEach(_ -> {
                    for (var form = due.poll(); form != null; form = due.poll()) {
                        PackedForm key = form.getKey();
                        try {
                            read.put(key, read(key, form.getValue(), places.get(key)));
                        } catch (RuntimeException e) {
                            failures.add(e);
                        }
                    }
                });
        // Also when one could not be read: what is there need not be read again.
        residents.putAll(read);
        if (!failures.isEmpty()) {
            throw failures.remove();
        }
        gatherLater(before);
    }

    private static long lengthBytes(Map.Entry<PackedForm, Packing> form) {
        return form.getKey().lengthBytes(form.getValue());
    }

    /** One slab for all forms, but for those that would leave the next unaligned. */
    private Map<PackedForm, Buffer> places(Map<PackedForm, Packing> wanted) {
        Map<PackedForm, Buffer> places = new HashMap<>();
        Map<PackedForm, Long> offsets = new LinkedHashMap<>();
        long end = 0;
        for (Map.Entry<PackedForm, Packing> form : wanted.entrySet()) {
            long bytes = lengthBytes(form);
            if (bytes % Slab.ALIGNMENT_BYTES == 0) {
                offsets.put(form.getKey(), end);
                end += bytes;
            } else {
                places.put(form.getKey(), slab(bytes).buffer());
            }
        }
        if (end > 0) {
            Buffer all = slab(end).buffer();
            offsets.forEach(
                    (key, at) -> places.put(key, all.slice(at, key.lengthBytes(wanted.get(key)))));
        }
        return places;
    }

    private Slab slab(long bytes) {
        Slab slab = Slab.allocateToFill(bytes);
        slabs.add(slab);
        return slab;
    }

    private Resident read(PackedForm key, Packing packing, Buffer place) {
        Slab master = masters.get(key.parameter());
        Resident resident = new Resident(place, packing);
        try (Arena memory = Arena.ofConfined()) {
            WeightReader weight =
                    master == null
                            ? source.reader(key.parameter(), memory)
                            : WeightReader.of(master.buffer().segment());
            PackedForm.requireWhole(key.parameter(), Float.BYTES * weight.elements());
            pack(weight, key, resident);
        }
        return resident;
    }

    private void requireReadable(PackedForm key) {
        if (sealed && !masters.containsKey(key.parameter())) {
            throw key.tooLate();
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the weights are closed");
        }
    }

    private void pack(WeightReader weight, PackedForm key, Resident resident) {
        packings.incrementAndGet();
        key.pack(weight, resident.packing, resident.buffer().segment());
    }

    @Override
    public synchronized long packings() {
        return packings.get();
    }

    @Override
    public synchronized long residentBytes() {
        return residentBytesByLayout().values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public synchronized Map<String, Long> residentBytesByLayout() {
        Map<String, Long> bytes = new TreeMap<>();
        residents.forEach((key, resident) ->
                bytes.merge(key.layout(), resident.buffer().lengthBytes(), Long::sum));
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

    /**
     * Has the slabs from this one on gathered into huge pages. Not at once: whoever waits for a
     * first answer comes first.
     */
    private void gatherLater(int first) {
        List<Slab> filled =
                slabs.subList(first, slabs.size()).stream().filter(Slab::canGather).toList();
        if (filled.isEmpty()) {
            return;
        }
        Thread.ofPlatform()
                .daemon()
                .name("cyclane-huge-pages")
                .priority(Thread.MIN_PRIORITY)
                .start(() -> {
                    LockSupport.parkNanos(GATHER_NANOS);
                    filled.forEach(Slab::gather);
                });
    }

    @Override
    public synchronized void replace(Parameter parameter, MemorySegment rows) {
        requireOpen();
        PackedForm.requireWhole(parameter, rows.byteSize());
        Parameter stored = PackedForm.stored(parameter);
        Slab master = masters.computeIfAbsent(stored, _ -> Slab.allocate(rows.byteSize()));
        master.buffer().segment().copyFrom(rows);
        residents.forEach((key, resident) -> {
            if (key.parameter().equals(stored)) {
                pack(WeightReader.of(rows), key, resident);
            }
        });
        versions.merge(stored, 1L, Long::sum);
    }

    @Override
    public synchronized long version(Parameter parameter) {
        return versions.getOrDefault(PackedForm.stored(parameter), 0L);
    }

    @Override
    public synchronized Buffer resident(Parameter parameter, String layout) {
        for (Map.Entry<PackedForm, Resident> entry : residents.entrySet()) {
            if (entry.getKey().parameter().equals(PackedForm.stored(parameter))
                    && entry.getKey().layout().equals(layout)) {
                return entry.getValue().buffer();
            }
        }
        throw new BackendException(
                "parameter '%s' is not packed as %s".formatted(parameter.name(), layout));
    }

    /** {@return the runs that read the weights} */
    Users users() {
        return users;
    }

    /** Waits for the runs in flight. */
    @Override
    public void close() {
        users.close();
        free();
    }

    private synchronized void free() {
        if (!closed) {
            closed = true;
            seal();
            residents.clear();
            slabs.forEach(Slab::close);
            masters.values().forEach(Slab::close);
            masters.clear();
        }
    }

    /** A packed form and how it is made. */
    private record Resident(Buffer buffer, Packing packing) {}
}

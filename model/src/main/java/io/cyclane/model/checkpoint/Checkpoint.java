package io.cyclane.model.checkpoint;

import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The named tensors of one or more files, mapped into memory read-only until it is closed.
 *
 * <p>Threads may share it. Whoever opened it closes it, once no thread reads any more; afterwards
 * the files are not touched, and every tensor it gave out refuses access.
 *
 * <p>If a file is cut short while it is mapped, {@link #floats} and {@link #copy} throw a {@link
 * CheckpointException}; if it is overwritten in place they read what stands there then. A file that
 * is replaced by renaming another one over it does not change what is read here.
 */
public final class Checkpoint implements AutoCloseable {
    private final String source;
    private final Map<String, Place> places;
    private final Map<String, String> metadata;
    private final List<MappedFile> files;
    private final Arena copies;

    private record Place(StoredTensor tensor, MappedFile file) {}

    /** One file and the tensors that were found in it. */
    record Part(MappedFile file, List<StoredTensor> tensors) {}

    Checkpoint(String source, List<Part> parts, Map<String, String> metadata) {
        this.source = source;
        this.metadata = Map.copyOf(metadata);
        Map<String, Place> byName = new TreeMap<>();
        List<MappedFile> opened = new ArrayList<>();
        for (Part part : parts) {
            opened.add(part.file);
            for (StoredTensor tensor : part.tensors) {
                if (byName.put(tensor.name(), new Place(tensor, part.file)) != null) {
                    throw new CheckpointException(
                            source + ": tensor '" + tensor.name() + "' stands in two files");
                }
            }
        }
        this.places = Collections.unmodifiableMap(byName);
        this.files = List.copyOf(opened);
        this.copies = Arena.ofShared();
    }

    private Checkpoint(Checkpoint from, Map<String, StoredTensor> tensors, Arena copies) {
        this.source = from.source;
        this.metadata = from.metadata;
        this.files = from.files;
        this.copies = copies;
        Map<String, Place> byName = new TreeMap<>();
        // Which file does not matter to copies; the first tells whether it was cut short meanwhile.
        tensors.forEach((name, tensor) -> byName.put(name, new Place(tensor, from.fileOf(tensor))));
        this.places = Collections.unmodifiableMap(byName);
    }

    private MappedFile fileOf(StoredTensor tensor) {
        for (Place place : places.values()) {
            if (place.tensor.bytes().asOverlappingSlice(tensor.bytes()).isPresent()) {
                return place.file;
            }
        }
        return files.getFirst();
    }

    /**
     * {@return these tensors under the names that a table gives them} It takes this checkpoint
     * over, also when it fails.
     *
     * @throws CheckpointException when a rule of the table does not fit its tensor
     */
    public Checkpoint mapped(WeightMap map) {
        Arena memory = Arena.ofShared();
        boolean isGood = false;
        try {
            Checkpoint mapped = new Checkpoint(this, MappedTensors.of(map, this, memory), memory);
            isGood = true;
            return mapped;
        } finally {
            if (!isGood) {
                memory.close();
                close();
            }
        }
    }

    /** {@return the kind and path of the file, as errors name it} */
    public String source() {
        return source;
    }

    /** {@return the names of all tensors, in order} */
    public Set<String> names() {
        return places.keySet();
    }

    /** {@return all tensors, ordered by name} */
    public Collection<StoredTensor> tensors() {
        return places.values().stream().map(Place::tensor).toList();
    }

    /** {@return what the file says about itself, empty if nothing} */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** {@return whether there is a tensor of that name} */
    public boolean has(String name) {
        return places.containsKey(name);
    }

    /**
     * {@return the tensor of that name}
     *
     * @throws CheckpointException when there is none, naming the one that ends most like it
     */
    public StoredTensor tensor(String name) {
        return place(name).tensor;
    }

    /**
     * Reads a tensor as finite F32, whatever float type it is stored in.
     *
     * <p>F32, F16 and BF16 are exact; F64 is rounded to the nearest F32, ties to even.
     *
     * @param to exactly 4 bytes an element, any alignment; F32 in the machine's byte order
     * @throws CheckpointException when the tensor is missing, not one of these types, holds a NaN,
     *     an infinity or a number too large for F32 (naming its flat index), or when its file was
     *     cut short
     * @throws IllegalStateException when this checkpoint is closed
     */
    public void floats(String name, MemorySegment to) {
        Place place = place(name);
        place.file.guard(() -> Widening.floats(place.tensor, to));
    }

    /**
     * {@return the same to be read in parts, which one thread does} Each part that is read throws
     * what {@link #floats} throws.
     *
     * @throws CheckpointException when the tensor is missing or not one of these types
     */
    public WeightReader reader(String name) {
        Place place = place(name);
        Widening floats = Widening.of(place.tensor);
        return new WeightReader(
                place.tensor.elements(),
                (first, to, at, count) ->
                        place.file.guard(() -> floats.read(first, to, at, count)));
    }

    /**
     * Copies a tensor's bytes as they are stored.
     *
     * @param to exactly as many bytes
     * @throws CheckpointException when the tensor is missing or its file was cut short
     * @throws IllegalStateException when this checkpoint is closed
     */
    public void copy(String name, MemorySegment to) {
        Place place = place(name);
        MemorySegment bytes = place.tensor.bytes();
        if (to.byteSize() != bytes.byteSize()) {
            throw new IllegalArgumentException(
                    "tensor '%s' has %d bytes, not %d"
                            .formatted(name, bytes.byteSize(), to.byteSize()));
        }
        place.file.guard(() -> to.copyFrom(bytes));
    }

    private Place place(String name) {
        Place place = places.get(name);
        if (place != null) {
            return place;
        }
        String closest =
                places.keySet().stream()
                        .max(Comparator.comparingInt(other -> commonEnd(name, other)))
                        .map(other -> "; the closest is '" + other + "'")
                        .orElse("");
        throw new CheckpointException(
                "%s: no tensor '%s' among its %d%s"
                        .formatted(source, name, places.size(), closest));
    }

    private static int commonEnd(String a, String b) {
        int n = 0;
        while (n < Math.min(a.length(), b.length())
                && a.charAt(a.length() - 1 - n) == b.charAt(b.length() - 1 - n)) {
            n++;
        }
        return n;
    }

    /** Unmaps and closes every file. A second close does nothing. */
    @Override
    public void close() {
        if (copies.scope().isAlive()) {
            copies.close();
        }
        closeAll(files);
    }

    /** Closes every one, even if some can not be; the first failure is thrown, with the others. */
    static void closeAll(List<MappedFile> files) {
        RuntimeException failure = null;
        for (MappedFile file : files) {
            try {
                file.close();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}

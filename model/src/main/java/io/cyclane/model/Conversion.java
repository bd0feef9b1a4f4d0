package io.cyclane.model;

import io.cyclane.model.checkpoint.AtomicFolder;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelAliases;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Writes a model's folder anew with its weights in another number type. */
public final class Conversion {
    /** What is copied beside the weights: settings and tokenizers, no programs. */
    private static final Set<String> COPIED = Set.of("json", "txt", "gz", "model");

    private static final Set<StoredType> TYPES =
            Set.of(StoredType.F32, StoredType.F16, StoredType.BF16);
    private static final Set<StoredType> FLOATS =
            Set.of(StoredType.F64, StoredType.F32, StoredType.F16, StoredType.BF16);

    private Conversion() {}

    /**
     * What was written.
     *
     * @param tensors how many
     * @param bytesBefore of their numbers
     * @param bytesAfter of their numbers
     * @param kept how many of them hold no floats and stayed as they were, by their type
     */
    public record Report(
            int tensors, long bytesBefore, long bytesAfter, Map<StoredType, Integer> kept) {
        public Report {
            kept = Collections.unmodifiableMap(new TreeMap<>(kept));
        }
    }

    /**
     * Writes the weights as one {@code model.safetensors}, floats rounded to the nearest number of
     * the type, ties to even, everything else as it is, also integers that stand for floats;
     * settings and tokenizer are copied beside.
     *
     * @param nameOrPath an alias, or a folder
     * @param folder where to; it is made, whole or not at all
     * @param type F32, F16 or BF16
     * @throws CheckpointException when the model can not be read, a number is too large for the
     *     type, the folder is there already, or it can not be written
     */
    public static Report write(String nameOrPath, Path folder, StoredType type) {
        return write(nameOrPath, folder, type, Optional.empty(), false);
    }

    /**
     * Writes the same under the names that a table gives its tensors, if there is one.
     *
     * @param replaces whether a model's folder that is there already gives way, or an empty one, if
     *     nothing in it is read
     */
    public static Report write(
            String nameOrPath,
            Path folder,
            StoredType type,
            Optional<Path> weightMap,
            boolean replaces) {
        if (!TYPES.contains(type)) {
            throw new IllegalArgumentException("weights are written as F32, F16 or BF16: " + type);
        }
        ModelFolder model = ModelFolder.open(nameOrPath, weightMap);
        Path[] sources =
                Stream.concat(Stream.of(model.path()), weightMap.stream()).toArray(Path[]::new);
        try (AtomicFolder out = AtomicFolder.create(folder, replaces, sources);
                Checkpoint checkpoint = model.checkpoint()) {
            copyBeside(model.path(), out.path());
            Report report = write(checkpoint, out.path().resolve("model.safetensors"), type);
            out.commit();
            return report;
        } catch (IOException e) {
            throw new CheckpointException(
                    "folder '%s': it can not be written: %s".formatted(folder, e.getMessage()), e);
        }
    }

    static void copyBeside(Path from, Path to) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(from, 2)) {
            files = all.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            boolean isIndex = name.endsWith(".safetensors.index.json");
            boolean isOther = isIndex || ModelAliases.isOfCache(name);
            if (COPIED.contains(name.substring(name.lastIndexOf('.') + 1)) && !isOther) {
                Path copy = to.resolve(from.relativize(file).toString());
                // Never the folder itself: if that is gone, so is what was copied before.
                if (!copy.getParent().equals(to) && Files.notExists(copy.getParent())) {
                    Files.createDirectory(copy.getParent());
                }
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static Report write(Checkpoint checkpoint, Path file, StoredType type) {
        List<SafetensorsWriter.Entry> entries = new ArrayList<>();
        Map<StoredType, Integer> others = new EnumMap<>(StoredType.class);
        long before = 0;
        for (StoredTensor tensor : checkpoint.tensors()) {
            boolean isFloat = FLOATS.contains(tensor.type());
            StoredType written = isFloat ? type : tensor.type();
            entries.add(new SafetensorsWriter.Entry(tensor.name(), written, tensor.extents()));
            if (!isFloat) {
                others.merge(tensor.type(), 1, Integer::sum);
            }
            before += tensor.bytes().byteSize();
        }
        long after = 0;
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, entries, Map.of("format", "pt"))) {
            for (StoredTensor tensor : checkpoint.tensors()) {
                try (Arena memory = Arena.ofConfined()) {
                    MemorySegment bytes = converted(checkpoint, tensor, type, memory);
                    writer.append(tensor.name(), bytes);
                    after += bytes.byteSize();
                }
            }
            writer.commit();
        }
        return new Report(entries.size(), before, after, others);
    }

    private static MemorySegment converted(
            Checkpoint checkpoint, StoredTensor tensor, StoredType type, Arena memory) {
        if (!FLOATS.contains(tensor.type()) || tensor.type() == type) {
            MemorySegment same = memory.allocate(tensor.bytes().byteSize(), 8);
            checkpoint.copy(tensor.name(), same);
            return same;
        }
        long elements = tensor.elements();
        MemorySegment floats = memory.allocate(4 * elements, 8);
        checkpoint.floats(tensor.name(), floats);
        return type == StoredType.F32 ? floats : Halves.of(tensor.name(), floats, type, memory);
    }
}

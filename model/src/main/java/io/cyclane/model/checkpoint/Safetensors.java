package io.cyclane.model.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads safetensors: 8 bytes of header length, a JSON header, the tensors' bytes.
 *
 * <p>Every rule of the format is enforced, in the order length, header, offsets, coverage; the
 * reader of the format's authors (huggingface/safetensors, {@code tensor.rs}) is the reference. Two
 * rules are ours: a key may not stand twice, and a tensor has no fields that nobody knows.
 */
public final class Safetensors {
    /** The file name of a model's weights in one piece. */
    public static final String FILE = "model.safetensors";

    /** The file name of the index of a model's weights in several pieces. */
    public static final String INDEX = "model.safetensors.index.json";

    /** The longest header that may be read, as in the format's own reader. */
    static final int MOST_HEADER_BYTES = 100_000_000;

    static final int LENGTH_BYTES = 8;
    private static final String KIND = "safetensors";

    private Safetensors() {}

    /**
     * Opens a safetensors file, an index of several ({@code *.index.json}), or the folder that
     * holds {@value #FILE} or {@value #INDEX}.
     *
     * <p>Nothing but headers is read now: tensors are mapped.
     *
     * @throws CheckpointException when a file is missing or breaks a rule of the format
     */
    public static Checkpoint open(Path path) {
        if (Files.isDirectory(path)) {
            Path whole = path.resolve(FILE);
            Path index = path.resolve(INDEX);
            if (Files.exists(whole)) {
                return openFile(whole);
            }
            if (Files.exists(index)) {
                return ShardIndex.open(index);
            }
            throw new CheckpointException(
                    "folder '%s': neither %s nor %s is in it".formatted(path, FILE, INDEX));
        }
        return path.toString().endsWith(".json") ? ShardIndex.open(path) : openFile(path);
    }

    private static Checkpoint openFile(Path path) {
        MappedFile file = MappedFile.open(KIND, path);
        try {
            Loaded loaded = load(file);
            return new Checkpoint(file.source(), List.of(loaded.part), loaded.metadata);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** A file's tensors and what it says about itself. */
    record Loaded(Checkpoint.Part part, Map<String, String> metadata) {}

    /** Reads a file's header and maps its data. */
    static Loaded load(MappedFile file) {
        String source = file.source();
        if (file.length() < LENGTH_BYTES) {
            throw new CheckpointException(
                    "%s: %d bytes are too few for a header".formatted(source, file.length()));
        }
        long headerBytes =
                ByteBuffer.wrap(file.read(0, LENGTH_BYTES))
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getLong();
        if (Long.compareUnsigned(headerBytes, file.length() - LENGTH_BYTES) > 0) {
            throw new CheckpointException(
                    "%s: the header claims %s bytes, the file has %d after its length"
                            .formatted(
                                    source,
                                    Long.toUnsignedString(headerBytes),
                                    file.length() - LENGTH_BYTES));
        }
        if (headerBytes > MOST_HEADER_BYTES) {
            throw new CheckpointException(
                    "%s: the header has %d bytes, at most %d are allowed"
                            .formatted(source, headerBytes, MOST_HEADER_BYTES));
        }
        long dataAt = LENGTH_BYTES + headerBytes;
        SafetensorsHeader header =
                SafetensorsHeader.parse(
                        source, file.read(LENGTH_BYTES, (int) headerBytes), file.length() - dataAt);
        MemorySegment data = file.map(dataAt);
        List<StoredTensor> tensors = new ArrayList<>(header.entries().size());
        for (SafetensorsHeader.Entry entry : header.entries()) {
            tensors.add(
                    new StoredTensor(
                            entry.name(),
                            entry.type(),
                            entry.extents(),
                            data.asSlice(entry.begin(), entry.end() - entry.begin())));
        }
        return new Loaded(new Checkpoint.Part(file, tensors), header.metadata());
    }
}

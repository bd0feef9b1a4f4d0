package io.cyclane.model.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes a safetensors file, tensor by tensor or piece by piece, and puts it in place at the end.
 *
 * <p>The bytes go to a temporary file in the same folder. {@link #commit} flushes it to disk and
 * renames it over the old one, so that nobody ever sees half a file and whoever has the old one
 * mapped keeps it. Closing without committing leaves no trace.
 *
 * <p>The same tensors give the same file: wide types come first, so that every tensor is aligned to
 * its element, and names are in order within a type. Data start on a multiple of 8 bytes. One
 * thread at a time.
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final int BOUNCE_BYTES = 1 << 20;
    private static final long MOST_BUFFER_BYTES = 1 << 30;
    private static final JsonFactory JSON = new JsonFactory();

    /** A tensor to come. */
    public record Entry(String name, StoredType type, List<Long> extents) {
        /** Extents are counted from the outermost. */
        public Entry {
            extents = List.copyOf(extents);
        }
    }

    /** Where the next bytes of a tensor go, and where its last byte ends; both in the data part. */
    private static final class Span {
        final Entry entry;
        final long begin;
        final long end;
        long at;

        Span(Entry entry, long begin, long end) {
            this.entry = entry;
            this.begin = begin;
            this.end = end;
            this.at = begin;
        }
    }

    private final Path path;
    private final Path temporary;
    private final FileChannel channel;
    private final Map<String, Span> spans;
    private final long dataAt;

    private SafetensorsWriter(
            Path path, Path temporary, FileChannel channel, Map<String, Span> spans, long dataAt) {
        this.path = path;
        this.temporary = temporary;
        this.channel = channel;
        this.spans = spans;
        this.dataAt = dataAt;
    }

    /**
     * Starts a file.
     *
     * @param metadata what the file says about itself; may be empty
     * @throws CheckpointException when a name stands twice or the folder can not be written
     */
    public static SafetensorsWriter create(
            Path path, Collection<Entry> entries, Map<String, String> metadata) {
        Map<String, Span> spans = layOut(path, entries);
        byte[] header = header(path, spans, metadata);
        Path temporary = AtomicFiles.temporary(path);
        FileChannel channel;
        try {
            channel =
                    FileChannel.open(
                            temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw failed(path, "can not be created", e);
        }
        SafetensorsWriter writer =
                new SafetensorsWriter(path, temporary, channel, spans, header.length);
        try {
            writer.put(ByteBuffer.wrap(header), 0);
        } catch (RuntimeException e) {
            writer.close();
            throw e;
        }
        return writer;
    }

    /** Writes whole tensors and puts the file in place. */
    public static void write(
            Path path, Collection<StoredTensor> tensors, Map<String, String> metadata) {
        write(path, tensors, metadata, true);
    }

    static void write(
            Path path,
            Collection<StoredTensor> tensors,
            Map<String, String> metadata,
            boolean durable) {
        List<Entry> entries =
                tensors.stream()
                        .map(tensor -> new Entry(tensor.name(), tensor.type(), tensor.extents()))
                        .toList();
        try (SafetensorsWriter writer = create(path, entries, metadata)) {
            for (StoredTensor tensor : tensors) {
                writer.append(tensor.name(), tensor.bytes());
            }
            writer.commit(durable);
        }
    }

    /**
     * Adds the next bytes of a tensor. Tensors may come in any order and in pieces of any size.
     *
     * @throws CheckpointException when there is no such tensor, it is longer than announced, or the
     *     disk refuses
     */
    public void append(String name, MemorySegment bytes) {
        Span span = spans.get(name);
        if (span == null) {
            throw new CheckpointException(
                    "safetensors '%s': tensor '%s' was not announced".formatted(path, name));
        }
        if (bytes.byteSize() > span.end - span.at) {
            throw new CheckpointException(
                    "safetensors '%s': tensor '%s' has %d bytes, %d came"
                            .formatted(
                                    path,
                                    name,
                                    span.end - span.begin,
                                    span.at - span.begin + bytes.byteSize()));
        }
        if (bytes.isNative()) {
            for (long at = 0; at < bytes.byteSize(); at += MOST_BUFFER_BYTES) {
                long n = Math.min(MOST_BUFFER_BYTES, bytes.byteSize() - at);
                put(bytes.asSlice(at, n).asByteBuffer(), dataAt + span.at + at);
            }
        } else {
            // Only byte arrays can be seen as a buffer; copying serves all kinds.
            ByteBuffer bounce = ByteBuffer.allocate((int) Math.min(BOUNCE_BYTES, bytes.byteSize()));
            for (long at = 0; at < bytes.byteSize(); at += BOUNCE_BYTES) {
                int n = (int) Math.min(BOUNCE_BYTES, bytes.byteSize() - at);
                MemorySegment.copy(bytes, at, MemorySegment.ofBuffer(bounce.clear()), 0, n);
                put(bounce.limit(n), dataAt + span.at + at);
            }
        }
        span.at += bytes.byteSize();
    }

    /**
     * Flushes the file to disk and puts it in place; nothing can be added afterwards.
     *
     * @throws CheckpointException when a tensor is not complete or the disk refuses
     */
    public void commit() {
        commit(true);
    }

    /** Commits; if not {@code durable}, the file may be damaged when the power goes soon after. */
    void commit(boolean durable) {
        for (Span span : spans.values()) {
            if (span.at != span.end) {
                throw new CheckpointException(
                        "safetensors '%s': tensor '%s' has %d bytes, only %d came"
                                .formatted(
                                        path,
                                        span.entry.name,
                                        span.end - span.begin,
                                        span.at - span.begin));
            }
        }
        try {
            if (durable) {
                channel.force(true);
            }
            channel.close();
            AtomicFiles.install(temporary, path);
            if (durable) {
                AtomicFiles.flushFolder(path);
            }
        } catch (IOException e) {
            throw failed(path, "can not be put in place", e);
        }
    }

    /** Drops the file unless it was committed. A second close does nothing. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            throw failed(path, "its temporary file can not be deleted", e);
        }
    }

    private void put(ByteBuffer bytes, long at) {
        long start = at - bytes.position();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes, start + bytes.position());
            }
        } catch (IOException e) {
            throw failed(path, "can not be written", e);
        }
    }

    private static Map<String, Span> layOut(Path path, Collection<Entry> entries) {
        List<Entry> sorted =
                entries.stream()
                        .sorted(
                                Comparator.comparingInt((Entry entry) -> -entry.type.bits())
                                        .thenComparing(Entry::name))
                        .toList();
        Map<String, Span> spans = new LinkedHashMap<>();
        long at = 0;
        for (Entry entry : sorted) {
            long end;
            try {
                end = Math.addExact(at, entry.type.bytes(entry.extents));
            } catch (ArithmeticException e) {
                throw failed(path, "tensor '%s' %s".formatted(entry.name, entry.extents), e);
            }
            boolean isFree =
                    !entry.name.equals(SafetensorsHeader.METADATA)
                            && spans.put(entry.name, new Span(entry, at, end)) == null;
            if (!isFree) {
                throw new CheckpointException(
                        "safetensors '%s': the name '%s' is taken".formatted(path, entry.name));
            }
            at = end;
        }
        return spans;
    }

    private static byte[] header(Path path, Map<String, Span> spans, Map<String, String> metadata) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[Safetensors.LENGTH_BYTES]);
        try (JsonGenerator json =
                JSON.createGenerator(ObjectWriteContext.empty(), bytes, JsonEncoding.UTF8)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectPropertyStart(SafetensorsHeader.METADATA);
                for (Map.Entry<String, String> remark : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringProperty(
                            text(path, remark.getKey()), text(path, remark.getValue()));
                }
                json.writeEndObject();
            }
            for (Span span : spans.values()) {
                json.writeObjectPropertyStart(text(path, span.entry.name));
                json.writeStringProperty("dtype", span.entry.type.name());
                json.writeArrayPropertyStart("shape");
                span.entry.extents.forEach(json::writeNumber);
                json.writeEndArray();
                json.writeArrayPropertyStart("data_offsets");
                json.writeNumber(span.begin);
                json.writeNumber(span.end);
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndObject();
        }
        int unpadded = bytes.size();
        byte[] header = Arrays.copyOf(bytes.toByteArray(), (unpadded + 7) / 8 * 8);
        Arrays.fill(header, unpadded, header.length, (byte) ' ');
        int headerBytes = header.length - Safetensors.LENGTH_BYTES;
        if (headerBytes > Safetensors.MOST_HEADER_BYTES) {
            throw new CheckpointException(
                    "safetensors '%s': the header has %d bytes, readers allow %d"
                            .formatted(path, headerBytes, Safetensors.MOST_HEADER_BYTES));
        }
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, headerBytes);
        return header;
    }

    private static String text(Path path, String text) {
        if (!StrictJson.isUnicode(text)) {
            throw new CheckpointException(
                    "safetensors '%s': the name or remark '%s' holds half a surrogate pair"
                            .formatted(path, text));
        }
        return text;
    }

    private static CheckpointException failed(Path path, String what, Exception cause) {
        return new CheckpointException(
                "safetensors '%s': %s: %s".formatted(path, what, cause.getMessage()), cause);
    }
}

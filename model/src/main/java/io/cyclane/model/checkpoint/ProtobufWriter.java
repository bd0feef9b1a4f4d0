package io.cyclane.model.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Builds one protobuf message, the counterpart of {@link Protobuf}.
 *
 * <p>Small fields are collected; large ones and nested messages are kept by reference and written
 * out at the end, so a model of any size passes through without a copy. Whoever hands over bytes
 * leaves them alone until the message is written.
 */
public final class ProtobufWriter {
    private static final int SMALL_BYTES = 256;
    private static final long MOST_BUFFER_BYTES = 1 << 30;

    /** Finished parts in order, and the bytes collected since the last. */
    private final List<MemorySegment> parts = new ArrayList<>();

    private byte[] tail = new byte[64];
    private int tailBytes;
    private long partBytes;

    /** An empty message. */
    public ProtobufWriter() {}

    /** {@return how many bytes the message has so far} */
    public long byteSize() {
        return partBytes + tailBytes;
    }

    /** Adds an integer, which stands for itself: no zigzag. */
    public ProtobufWriter integer(int field, long value) {
        tag(field, 0);
        varint(value);
        return this;
    }

    /** Adds a 32-bit float. */
    public ProtobufWriter f32(int field, float value) {
        tag(field, 5);
        room(4);
        ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN).putFloat(tailBytes, value);
        tailBytes += 4;
        return this;
    }

    /** Adds a 64-bit number of fixed width: a long, or the bits of a double. */
    public ProtobufWriter fixed64(int field, long value) {
        tag(field, 1);
        room(8);
        ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN).putLong(tailBytes, value);
        tailBytes += 8;
        return this;
    }

    /** Adds text. */
    public ProtobufWriter string(int field, String value) {
        return bytes(field, MemorySegment.ofArray(value.getBytes(StandardCharsets.UTF_8)));
    }

    /** Adds bytes: text, packed numbers, a tensor's data. */
    public ProtobufWriter bytes(int field, MemorySegment value) {
        tag(field, 2);
        varint(value.byteSize());
        part(value);
        return this;
    }

    /** Adds a nested message, which gets no more fields. */
    public ProtobufWriter message(int field, ProtobufWriter value) {
        tag(field, 2);
        varint(value.byteSize());
        return fields(value);
    }

    /** Adds the fields of another message, which gets no more, as fields of this one. */
    public ProtobufWriter fields(ProtobufWriter other) {
        other.parts.forEach(this::part);
        part(MemorySegment.ofArray(other.tail).asSlice(0, other.tailBytes));
        return this;
    }

    /** Adds a packed list of integers. */
    public ProtobufWriter integers(int field, long... values) {
        ProtobufWriter packed = new ProtobufWriter();
        for (long value : values) {
            packed.varint(value);
        }
        return message(field, packed);
    }

    /** {@return the whole message, for those known to be small} */
    public byte[] toArray() {
        byte[] all = new byte[Math.toIntExact(byteSize())];
        MemorySegment to = MemorySegment.ofArray(all);
        long at = 0;
        for (MemorySegment part : parts) {
            MemorySegment.copy(part, 0, to, at, part.byteSize());
            at += part.byteSize();
        }
        System.arraycopy(tail, 0, all, (int) at, tailBytes);
        return all;
    }

    /** Writes the whole message; native memory and byte arrays pass without a copy. */
    public void writeTo(WritableByteChannel to) throws IOException {
        for (MemorySegment part : parts) {
            for (long at = 0; at < part.byteSize(); at += MOST_BUFFER_BYTES) {
                long n = Math.min(MOST_BUFFER_BYTES, part.byteSize() - at);
                writeAll(to, part.asSlice(at, n).asByteBuffer());
            }
        }
        writeAll(to, ByteBuffer.wrap(tail, 0, tailBytes));
    }

    private static void writeAll(WritableByteChannel to, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private void tag(int field, int wire) {
        if (field < 1 || field >= 1 << 29) {
            throw new IllegalArgumentException("a field number is 1 to 2^29 - 1, not " + field);
        }
        varint((long) field << 3 | wire);
    }

    private void varint(long value) {
        room(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            tail[tailBytes++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        tail[tailBytes++] = (byte) rest;
    }

    private void part(MemorySegment bytes) {
        if (bytes.byteSize() <= SMALL_BYTES) {
            int n = (int) bytes.byteSize();
            room(n);
            MemorySegment.copy(bytes, 0, MemorySegment.ofArray(tail), tailBytes, n);
            tailBytes += n;
            return;
        }
        if (!bytes.isNative() && !(bytes.heapBase().orElse(null) instanceof byte[])) {
            throw new IllegalArgumentException("bytes must be native memory or of a byte array");
        }
        parts.add(MemorySegment.ofArray(Arrays.copyOf(tail, tailBytes)));
        parts.add(bytes);
        partBytes += tailBytes + bytes.byteSize();
        tailBytes = 0;
    }

    private void room(int bytes) {
        if (tail.length - tailBytes < bytes) {
            tail = Arrays.copyOf(tail, Math.max(2 * tail.length, tailBytes + bytes));
        }
    }
}

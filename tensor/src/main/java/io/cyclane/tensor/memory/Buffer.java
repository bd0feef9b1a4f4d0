package io.cyclane.tensor.memory;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A window on memory that somebody else owns: a slab, a mapped file, a caller's segment.
 *
 * <p>Offsets are {@code long} bytes. Kernels read {@link #segment()}; {@link #agrona} lays an
 * Agrona buffer over the same bytes for callers who pass theirs around, at most 2 GiB at a time
 * because Agrona counts in {@code int}.
 *
 * @param segment native memory
 */
public record Buffer(MemorySegment segment) {
    /** {@return its size} */
    public long lengthBytes() {
        return segment.byteSize();
    }

    /** {@return the window of {@code lengthBytes} bytes at {@code offset}} */
    public Buffer slice(long offset, long lengthBytes) {
        return new Buffer(segment.asSlice(offset, lengthBytes));
    }

    /**
     * {@return an Agrona buffer over the window of {@code lengthBytes} bytes at {@code offset}:
     * both see each other's writes} It must not be used after the memory's owner is closed; nothing
     * checks that.
     *
     * <p>Agrona needs {@code --add-opens java.base/jdk.internal.misc=ALL-UNNAMED}.
     *
     * @throws IllegalStateException when the memory's owner is closed already
     */
    public UnsafeBuffer agrona(long offset, int lengthBytes) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("the memory's owner is closed");
        }
        return new UnsafeBuffer(segment.asSlice(offset, lengthBytes).asByteBuffer());
    }

    /**
     * {@return an Agrona buffer over all of it}
     *
     * @throws IllegalStateException when it is larger than 2 GiB: take windows of it
     */
    public UnsafeBuffer agrona() {
        if (lengthBytes() > Integer.MAX_VALUE) {
            throw new IllegalStateException(
                    "a buffer of "
                            + lengthBytes()
                            + " bytes does not fit one Agrona buffer: take windows of at most 2 GiB");
        }
        return agrona(0, (int) lengthBytes());
    }
}

package io.cyclane.tensor.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A block of off-heap memory, 64-byte aligned and zeroed, of any size the machine has. Only a slab
 * owns bytes, and only who allocated it closes it.
 *
 * <p>Reads and writes through {@link Buffer#segment()} after {@link #close()} throw {@link
 * IllegalStateException}; an Agrona view has no such check and must not be used then. Thread-safe.
 */
public final class Slab implements AutoCloseable {
    /**
     * Every slab and every slot in one starts at a multiple of this: a cache line, and the widest
     * vector.
     */
    public static final int ALIGNMENT_BYTES = 64;

    /** What is gathered at a time, and a close may have to wait for. */
    private static final long GATHERED_BYTES = 4 << 20;

    private static final AtomicLong LIVE_BYTES = new AtomicLong();

    private final Arena arena = Arena.ofShared();
    private final Buffer buffer;
    private final boolean isHuge;
    private boolean closed;

    private Slab(long lengthBytes, boolean atOnce) {
        MemorySegment huge = HugePages.allocate(arena, lengthBytes, atOnce);
        isHuge = huge != null;
        buffer = new Buffer(huge == null ? arena.allocate(lengthBytes, ALIGNMENT_BYTES) : huge);
        LIVE_BYTES.addAndGet(lengthBytes);
    }

    /**
     * {@return a new slab of so many bytes, all zero}
     *
     * @throws OutOfMemoryError when the system has no such block
     */
    public static Slab allocate(long lengthBytes) {
        return checked(lengthBytes, true);
    }

    /**
     * {@return the same for what is filled once and then read} Filling it is quicker, reading it
     * slower until it is gathered ({@link #gather}).
     */
    public static Slab allocateToFill(long lengthBytes) {
        return checked(lengthBytes, false);
    }

    private static Slab checked(long lengthBytes, boolean atOnce) {
        if (lengthBytes < 0) {
            throw new IllegalArgumentException("a slab can not have " + lengthBytes + " bytes");
        }
        return new Slab(lengthBytes, atOnce);
    }

    /** {@return whether {@link #gather} asks the system for anything} */
    public boolean canGather() {
        return isHuge;
    }

    /**
     * Has the system gather the pages into huge ones, where it is asked for such ({@link
     * HugePages}); others may read and write meanwhile, and close the slab, which ends it.
     */
    public void gather() {
        for (long at = 0; isHuge && at < lengthBytes(); at += GATHERED_BYTES) {
            synchronized (this) {
                if (closed) {
                    return;
                }
                long bytes = Math.min(GATHERED_BYTES, lengthBytes() - at);
                HugePages.gather(buffer.segment().asSlice(at, bytes));
            }
        }
    }

    /** {@return the bytes of all slabs of this process that are not closed} */
    public static long liveBytes() {
        return LIVE_BYTES.get();
    }

    /** {@return all of it} */
    public Buffer buffer() {
        return buffer;
    }

    /** {@return its size} */
    public long lengthBytes() {
        return buffer.lengthBytes();
    }

    /** Gives the memory back. A second close does nothing. */
    @Override
    public synchronized void close() {
        if (!closed) {
            arena.close();
            closed = true;
            LIVE_BYTES.addAndGet(-buffer.lengthBytes());
        }
    }
}

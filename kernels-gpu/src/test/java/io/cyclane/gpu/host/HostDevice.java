package io.cyclane.gpu.host;

import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.driver.DeviceTraits;
import io.cyclane.gpu.driver.Event;
import io.cyclane.gpu.driver.KernelModule;
import io.cyclane.gpu.driver.StagingMemory;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.driver.TensorTiles;
import io.cyclane.tensor.backend.DeviceLostException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The host as a device: memory between guards, and kernels in shared libraries. */
final class HostDevice implements Device {
    /**
     * Wide enough for the rows that a kernel may write too many, and aligned as device memory is.
     */
    private static final int GUARD_BYTES = 4096;

    /** A NaN, and as an I32 no index of anything. */
    private static final int UNWRITTEN = 0x7FC1DEAD;

    private static final byte GUARD = (byte) 0xFB;
    private static final MemorySegment WHOLE =
            Arena.global().allocate(GUARD_BYTES).fill(GUARD).asReadOnly();

    private final HostDriver driver;
    private final Set<Memory> memories = ConcurrentHashMap.newKeySet();
    private final List<HostModule> modules = new ArrayList<>();
    private volatile boolean lost;
    private boolean closed;

    HostDevice(HostDriver driver) {
        this.driver = driver;
    }

    HostDriver driver() {
        return driver;
    }

    void lose() {
        lost = true;
    }

    boolean isLost() {
        return lost;
    }

    void requireHere() {
        if (lost) {
            throw new DeviceLostException("the host's device was lost, as asked for");
        }
    }

    @Override
    public DeviceTraits traits() {
        return new DeviceTraits("host", HostDriver.MEMORY_BYTES, 8, 0, 1);
    }

    @Override
    public long freeBytes() {
        return HostDriver.MEMORY_BYTES - driver.liveBytes();
    }

    @Override
    public DeviceMemory allocate(long lengthBytes) {
        requireHere();
        Memory memory = new Memory(lengthBytes);
        memories.add(memory);
        return memory;
    }

    /** Fails where something was written outside of all memory. */
    void checkGuards(String after) {
        for (Memory memory : memories) {
            if (!isWhole(memory.below()) || !isWhole(memory.above())) {
                throw new AssertionError(
                        "%s wrote %s a block of %d bytes"
                                .formatted(
                                        after,
                                        isWhole(memory.below()) ? "past the end of" : "in front of",
                                        memory.lengthBytes()));
            }
        }
    }

    private static boolean isWhole(MemorySegment guard) {
        return guard.mismatch(WHOLE) < 0;
    }

    @Override
    public StagingMemory allocateStaging(long lengthBytes) {
        requireHere();
        Arena arena = Arena.ofShared();
        MemorySegment segment = arena.allocate(lengthBytes, GUARD_BYTES);
        return new StagingMemory() {
            private boolean freed;

            @Override
            public MemorySegment segment() {
                return segment;
            }

            @Override
            public void close() {
                if (!freed) {
                    freed = true;
                    arena.close();
                }
            }
        };
    }

    @Override
    public KernelModule load(String name, byte[] ptx) {
        requireHere();
        HostModule module = HostModule.load(driver, name, ptx);
        modules.add(module);
        return module;
    }

    /** Kernels that take tiles are for Hopper's copy engine, of which the host has no model. */
    @Override
    public byte[] describe(TensorTiles tiles) {
        throw new AssertionError("the host can not fetch " + tiles);
    }

    @Override
    public Stream stream() {
        requireHere();
        return new HostStream(this);
    }

    @Override
    public Event event() {
        return new HostStream.Mark(this);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            modules.forEach(HostModule::close);
            if (!memories.isEmpty()) {
                throw new AssertionError(memories.size() + " blocks of memory were not closed");
            }
        }
    }

    /** Memory between two guards, full of NaN at first. */
    final class Memory implements DeviceMemory {
        private final Arena arena = Arena.ofShared();
        private final MemorySegment all;
        private final long lengthBytes;
        private boolean freed;

        Memory(long lengthBytes) {
            this.lengthBytes = lengthBytes;
            all = arena.allocate(lengthBytes + 2 * GUARD_BYTES, GUARD_BYTES);
            all.fill(GUARD);
            MemorySegment own = segment();
            for (long at = 0; at + 4 <= lengthBytes; at += 4) {
                own.set(ValueLayout.JAVA_INT, at, UNWRITTEN);
            }
            driver.countBytes(lengthBytes);
        }

        MemorySegment segment() {
            return all.asSlice(GUARD_BYTES, lengthBytes);
        }

        private MemorySegment below() {
            return all.asSlice(0, GUARD_BYTES);
        }

        private MemorySegment above() {
            return all.asSlice(GUARD_BYTES + lengthBytes);
        }

        @Override
        public long address() {
            return all.address() + GUARD_BYTES;
        }

        @Override
        public long lengthBytes() {
            return lengthBytes;
        }

        @Override
        public void close() {
            if (!freed) {
                freed = true;
                memories.remove(this);
                driver.countBytes(-lengthBytes);
                arena.close();
            }
        }
    }
}

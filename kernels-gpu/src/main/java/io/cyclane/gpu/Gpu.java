package io.cyclane.gpu;

import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.driver.KernelFunction;
import io.cyclane.gpu.driver.KernelModule;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.ptx.PtxLibrary;
import io.cyclane.tensor.backend.BackendException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * An open device: its kernels, loaded when first asked for, a budget for its memory, and a stream
 * for what is copied outside of runs. Thread-safe.
 */
final class Gpu implements AutoCloseable {
    private final Device device;
    private final OptionalLong budgetBytes;
    private final Stream transfers;
    private final Map<String, KernelModule> modules = new HashMap<>();
    private final Map<Entry, KernelFunction> functions = new EnumMap<>(Entry.class);
    private long takenBytes;
    private boolean closed;

    /** Takes over an open device, of whose memory at most so many bytes are used. */
    Gpu(Device device, OptionalLong budgetBytes) {
        this.device = device;
        this.budgetBytes = budgetBytes;
        transfers = device.stream();
    }

    Device device() {
        return device;
    }

    /** {@return the kernel of an entry} */
    synchronized KernelFunction function(Entry entry) {
        KernelFunction known = functions.get(entry);
        if (known == null) {
            KernelModule module =
                    modules.computeIfAbsent(
                            entry.source(),
                            source -> device.load(source + ".ptx", PtxLibrary.of(source)));
            known = module.function(entry.kernel());
            functions.put(entry, known);
        }
        return known;
    }

    /** {@return how many bytes can still be taken} */
    synchronized long leftBytes() {
        long free = device.freeBytes();
        return budgetBytes.isPresent()
                ? Math.min(free, budgetBytes.getAsLong() - takenBytes)
                : free;
    }

    /**
     * {@return memory within the budget}
     *
     * @param what it is for, for messages
     */
    synchronized Block allocate(long lengthBytes, String what) {
        long left = leftBytes();
        if (lengthBytes > left) {
            throw new BackendException(
                    "%s takes %,d bytes of the device's memory and %,d are left: lower the capacity, open fewer sessions, or free the device"
                            .formatted(what, lengthBytes, left));
        }
        DeviceMemory memory = device.allocate(Math.max(lengthBytes, 1));
        takenBytes += memory.lengthBytes();
        return new Block(memory);
    }

    private synchronized void release(DeviceMemory memory) {
        takenBytes -= memory.lengthBytes();
        memory.close();
    }

    /** Copies host memory to the device and waits until it is there. */
    synchronized void upload(MemorySegment from, Block to, long offset) {
        transfers.copyToDevice(from, to.memory, offset);
        transfers.synchronize();
    }

    /** {@return a copy of device memory, which the collector frees} */
    synchronized MemorySegment download(Block from, long offset, long lengthBytes) {
        MemorySegment to = Arena.ofAuto().allocate(lengthBytes, 16);
        transfers.copyToHost(from.memory, offset, to);
        transfers.synchronize();
        return to;
    }

    /** Fills device memory with a word and waits until it is. */
    synchronized void fill(Block block, long offset, int word, long words) {
        if (words > 0) {
            transfers.fill(block.memory, offset, word, words);
            transfers.synchronize();
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            functions.clear();
            modules.values().forEach(KernelModule::close);
            transfers.close();
            device.close();
        }
    }

    /** Memory that is given back to the budget when it is closed. */
    final class Block implements AutoCloseable {
        private final DeviceMemory memory;
        private boolean released;

        private Block(DeviceMemory memory) {
            this.memory = memory;
        }

        /** {@return the memory, for streams} */
        DeviceMemory memory() {
            return memory;
        }

        /** {@return its first byte, as kernels address it} */
        long address() {
            return memory.address();
        }

        /** {@return its size} */
        long lengthBytes() {
            return memory.lengthBytes();
        }

        @Override
        public synchronized void close() {
            if (!released) {
                released = true;
                release(memory);
            }
        }
    }
}

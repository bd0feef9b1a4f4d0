package io.cyclane.gpu;

import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.memory.Buffer;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A session on a device: one arena, and each executable's program laid onto it, with two sets of
 * windows, so that one run's can be filled while the device computes another.
 */
final class GpuSession implements Session {
    private static final int WINDOW_SETS = 2;

    private final Gpu gpu;
    private final Streams streams;
    private final Gpu.Block arena;
    private final List<DeviceProgram> programs = new ArrayList<>();
    private final Map<Executable, List<GpuBinding>> bindings = new IdentityHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private volatile boolean closed;

    /** Queues of a session: the runs, one after the other, and what is copied for them. */
    record Streams(Stream compute, Stream uploads, Stream downloads) {
        static Streams on(Device device) {
            return new Streams(device.stream(), device.stream(), device.stream());
        }

        /** Waits for what is under way. */
        void close() {
            List.of(uploads, compute, downloads).forEach(Stream::close);
        }
    }

    GpuSession(Gpu gpu, List<GpuExecutable> executables, GpuState state) {
        this.gpu = gpu;
        long bytes = 0;
        for (GpuExecutable executable : executables) {
            bytes = Math.max(bytes, executable.plan().totalBytes());
        }
        // Words are filled and read back, so it is a whole number of them.
        arena = gpu.allocate((bytes + 3) & -4, "a session's arena");
        streams = Streams.on(gpu.device());
        boolean isBound = false;
        try {
            for (GpuExecutable executable : executables) {
                DeviceProgram program = new DeviceProgram(executable, arena, state, streams);
                programs.add(program);
                List<GpuBinding> own = new ArrayList<>();
                bindings.put(executable, own);
                for (int set = 0; set < WINDOW_SETS; set++) {
                    own.add(GpuBinding.open(program, this));
                }
            }
            isBound = true;
        } finally {
            if (!isBound) {
                free();
            }
        }
    }

    @Override
    public List<Binding> bindings(Executable executable) {
        requireOpen();
        List<GpuBinding> own = bindings.get(executable);
        if (own == null) {
            throw new IllegalArgumentException(
                    "the session was not opened for this executable of '"
                            + executable.program().name()
                            + "'");
        }
        return List.copyOf(own);
    }

    @Override
    public Buffer arena() {
        throw new BackendException(
                "the arena of backend '"
                        + GpuProvider.NAME
                        + "' lies in the device's memory: read a value's copy by Binding.value");
    }

    @Override
    public void fill(int word) {
        requireOpen();
        gpu.fill(arena, 0, word, arena.lengthBytes() / 4);
    }

    @Override
    public long lengthBytes() {
        return arena.lengthBytes()
                + programs.stream().mapToLong(DeviceProgram::lengthBytes).sum()
                + all().mapToLong(GpuBinding::lengthBytes).sum();
    }

    private java.util.stream.Stream<GpuBinding> all() {
        return bindings.values().stream().flatMap(List::stream);
    }

    Streams streams() {
        return streams;
    }

    /** Does what is done by one thread at a time: begins a run, or waits for one. */
    void run(Runnable work) {
        if (lock.isHeldByCurrentThread() || !lock.tryLock()) {
            throw new IllegalStateException(
                    "a run is under way in this session: open another for a second thread");
        }
        try {
            requireOpen();
            work.run();
        } finally {
            lock.unlock();
        }
    }

    /** Fails when the session is closed. */
    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                free();
            }
        } finally {
            lock.unlock();
        }
    }

    private void free() {
        streams.close();
        all().forEach(GpuBinding::close);
        programs.forEach(DeviceProgram::close);
        arena.close();
    }
}

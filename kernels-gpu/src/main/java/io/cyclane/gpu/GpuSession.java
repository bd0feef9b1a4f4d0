package io.cyclane.gpu;

import io.cyclane.gpu.driver.Stream;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.memory.Buffer;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A session on a device: one arena, a stream, and for each executable its windows, its control
 * memory and its launches.
 */
final class GpuSession implements Session {
    private final Gpu gpu;
    private final Stream stream;
    private final Gpu.Block arena;
    private final Map<Executable, GpuBinding> bindings = new IdentityHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private volatile boolean closed;

    GpuSession(Gpu gpu, List<GpuExecutable> executables, GpuState state) {
        this.gpu = gpu;
        long bytes = 0;
        for (GpuExecutable executable : executables) {
            bytes = Math.max(bytes, executable.plan().totalBytes());
        }
        // Words are filled and read back, so it is a whole number of them.
        arena = gpu.allocate((bytes + 3) & -4, "a session's arena");
        stream = gpu.device().stream();
        boolean isBound = false;
        try {
            for (GpuExecutable executable : executables) {
                bindings.put(executable, new GpuBinding(executable, arena, state, stream, this));
            }
            isBound = true;
        } finally {
            if (!isBound) {
                free();
            }
        }
    }

    @Override
    public Binding binding(Executable executable) {
        requireOpen();
        GpuBinding binding = bindings.get(executable);
        if (binding == null) {
            throw new IllegalArgumentException(
                    "the session was not opened for this executable of '"
                            + executable.program().name()
                            + "'");
        }
        return binding;
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
                + bindings.values().stream().mapToLong(GpuBinding::lengthBytes).sum();
    }

    /** Runs work on the stream, alone, and waits until it is done. */
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
        bindings.values().forEach(GpuBinding::close);
        stream.close();
        arena.close();
    }
}

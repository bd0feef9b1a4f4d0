package io.cyclane.tensor.host;

import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.Slab;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * A session in host memory: one slab, the arena first, then each executable's inputs and counts.
 */
final class HostSession implements Session {
    private final Slab slab;
    private final long arenaBytes;
    private final Map<Executable, HostBinding> bindings = new IdentityHashMap<>();
    private final Users[] used;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile boolean closed;

    HostSession(List<HostExecutable> executables, State state) {
        long arena = 0;
        for (HostExecutable executable : executables) {
            arena = Math.max(arena, executable.plan().totalBytes());
        }
        arenaBytes = arena;
        used = used(executables, state);
        long at = align(arena);
        long[] starts = new long[executables.size()];
        for (int i = 0; i < starts.length; i++) {
            starts[i] = at;
            at += align(HostBinding.windowBytes(executables.get(i).program()));
        }
        slab = Slab.allocate(at);
        boolean isBound = false;
        try {
            for (int i = 0; i < starts.length; i++) {
                HostExecutable executable = executables.get(i);
                bindings.put(
                        executable,
                        new HostBinding(executable, slab.buffer(), starts[i], state, this));
            }
            isBound = true;
        } finally {
            if (!isBound) {
                slab.close();
            }
        }
    }

    /** The weights of each executable, once, and the state. */
    private static Users[] used(List<HostExecutable> executables, State state) {
        Stream<Users> weights = executables.stream().map(each -> each.weights().users());
        Stream<Users> own = state instanceof HostState host ? Stream.of(host.users()) : Stream.of();
        return Stream.concat(weights, own).distinct().toArray(Users[]::new);
    }

    private static long align(long bytes) {
        return (bytes + Slab.ALIGNMENT_BYTES - 1) & -Slab.ALIGNMENT_BYTES;
    }

    @Override
    public Binding binding(Executable executable) {
        requireOpen();
        HostBinding binding = bindings.get(executable);
        if (binding == null) {
            throw new IllegalArgumentException(
                    "the session was not opened for this executable of '"
                            + executable.program().name()
                            + "'");
        }
        return binding;
    }

    @Override
    public List<Binding> bindings(Executable executable) {
        return List.of(binding(executable));
    }

    @Override
    public Buffer arena() {
        requireOpen();
        return slab.buffer().slice(0, arenaBytes);
    }

    @Override
    public long lengthBytes() {
        return slab.lengthBytes();
    }

    /** Runs kernels, alone. */
    void run(Kernel[] kernels) {
        if (lock.isHeldByCurrentThread() || !lock.tryLock()) {
            throw new IllegalStateException(
                    "a run is under way in this session: open another for a second thread");
        }
        int entered = 0;
        try {
            requireOpen();
            for (; entered < used.length; entered++) {
                used[entered].enter();
            }
            for (Kernel kernel : kernels) {
                kernel.run();
            }
        } finally {
            while (entered > 0) {
                used[--entered].leave();
            }
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
            closed = true;
            slab.close();
        } finally {
            lock.unlock();
        }
    }
}

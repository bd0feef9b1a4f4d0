package io.cyclane.model;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.program.Program;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What an open model holds: a backend, the weights, packed once for all tasks, and a number of
 * sessions that callers take in turn. It does not know the facades, so that a model nobody reaches
 * any more can be freed by what is left.
 */
final class Engine implements AutoCloseable {
    private final Backend backend;
    private final Weights weights;
    private final Map<Task, Executable> executables = new EnumMap<>(Task.class);
    private final List<Lane> lanes = new ArrayList<>();
    private final ArrayBlockingQueue<Lane> free;
    private final AtomicInteger waiting = new AtomicInteger();
    private final Object closing = new Object();
    private volatile boolean closed;

    /**
     * Packs the weights and opens the sessions; takes the backend over, also when it fails.
     *
     * @param mayBeRandom whether random numbers may stand for a head that the checkpoint lacks
     */
    Engine(
            Backend backend,
            TextModel model,
            Set<Task> tasks,
            Capacity capacity,
            int sessions,
            boolean mayBeRandom) {
        this.backend = backend;
        this.free = new ArrayBlockingQueue<>(sessions, true);
        Weights packed = null;
        boolean isOpen = false;
        try {
            Map<Task, Program> programs = new EnumMap<>(Task.class);
            tasks.forEach(task -> programs.put(task, model.program(task, capacity)));
            packed = backend.weights(model.weights(List.copyOf(programs.values()), mayBeRandom));
            weights = packed;
            for (Map.Entry<Task, Program> program : programs.entrySet()) {
                executables.put(program.getKey(), backend.compile(program.getValue(), packed));
            }
            packed.seal();
            for (int i = 0; i < sessions; i++) {
                Lane lane = Lane.open(backend, executables);
                lanes.add(lane);
                free.add(lane);
            }
            isOpen = true;
        } finally {
            if (!isOpen) {
                lanes.forEach(Lane::close);
                if (packed != null) {
                    packed.close();
                }
                backend.close();
            }
        }
    }

    Backend backend() {
        return backend;
    }

    Weights weights() {
        return weights;
    }

    Map<Task, Executable> executables() {
        return executables;
    }

    long sessionBytes() {
        return lanes.getFirst().lengthBytes();
    }

    int sessions() {
        return lanes.size();
    }

    /** Takes a session, waiting in order for one; {@link #give} must follow. */
    Lane take() {
        checkOpen();
        Lane lane;
        waiting.incrementAndGet();
        try {
            lane = free.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for a session", e);
        } finally {
            waiting.decrementAndGet();
        }
        if (closed) {
            free.add(lane);
            checkOpen();
        }
        return lane;
    }

    /** {@return whether a caller waits for a session} */
    boolean isAwaited() {
        return waiting.get() > 0;
    }

    /** {@return how many runs of a session may be under way at a time} */
    int mostUnderWay() {
        return lanes.getFirst().mostUnderWay();
    }

    /** {@return whether a session is one of this engine's} */
    boolean owns(Lane lane) {
        return lanes.contains(lane);
    }

    /** Gives a session back. */
    void give(Lane lane) {
        free.add(lane);
    }

    /** Throws {@link IllegalStateException} once {@link #close} has begun. */
    void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
    }

    /**
     * Refuses new callers, waits for those being served, then frees everything. A second close does
     * nothing.
     */
    @Override
    public void close() {
        synchronized (closing) {
            if (closed) {
                return;
            }
            closed = true;
            boolean wasInterrupted = false;
            for (int waiting = lanes.size(); waiting > 0; ) {
                try {
                    free.take();
                    waiting--;
                } catch (InterruptedException e) {
                    wasInterrupted = true;
                }
            }
            lanes.forEach(Lane::close);
            weights.close();
            backend.close();
            // Callers who wait in take() get a lane each, see that the model is closed, and pass it
            // on.
            free.addAll(lanes);
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import java.util.EnumSet;
import java.util.Set;

/** Measures from how many tokens on a batch is done sooner by another backend. */
final class Crossover {
    /** Never: the other backend was slower at every size. */
    static final int NEVER = Integer.MAX_VALUE;

    private static final int FEWEST_TOKENS = 16;
    private static final int SEQUENCE_TOKENS = 64;
    private static final int RUNS = 3;

    /** Kernels that the JVM still compiles are waited for so long, and then taken as they are. */
    private static final long WARM_UP_NANOS = 3_000_000_000L;

    private Crossover() {}

    /**
     * {@return the fewest tokens, a power of two, with which {@code large} is the faster, or {@link
     * #NEVER}}
     */
    static int tokens(Engine small, Engine large, Capacity capacity, int positions) {
        Set<Task> tasks = EnumSet.copyOf(small.executables().keySet());
        tasks.remove(Task.FILL_MASK); // it runs on the first backend, with places of its own
        if (tasks.isEmpty()) {
            return NEVER;
        }
        Task task = tasks.iterator().next();
        int length = Math.min(SEQUENCE_TOKENS, positions);
        long start = System.nanoTime();
        while (!small.backend().isWarm() && System.nanoTime() - start < WARM_UP_NANOS) {
            nanos(small, task, batch(FEWEST_TOKENS, length));
        }
        int most = Math.min(capacity.tokens(), capacity.sequences() * length);
        for (int tokens = FEWEST_TOKENS; tokens <= most; tokens *= 2) {
            TokenBatch batch = batch(tokens, length);
            if (nanos(large, task, batch) < nanos(small, task, batch)) {
                return tokens;
            }
        }
        return NEVER;
    }

    private static TokenBatch batch(int tokens, int length) {
        TokenBatch batch = new TokenBatch();
        for (int left = tokens; left > 0; left -= length) {
            batch.add(new int[Math.min(left, length)]);
        }
        return batch;
    }

    /** The shortest of several runs, after one that is not counted. */
    private static long nanos(Engine engine, Task task, TokenBatch batch) {
        Lane lane = engine.take();
        try {
            Lane.Window window = lane.window(task);
            window.run(batch, 0, batch.sequences());
            long shortest = Long.MAX_VALUE;
            for (int run = 0; run < RUNS; run++) {
                long start = System.nanoTime();
                window.run(batch, 0, batch.sequences());
                shortest = Math.min(shortest, System.nanoTime() - start);
            }
            return shortest;
        } finally {
            engine.give(lane);
        }
    }
}

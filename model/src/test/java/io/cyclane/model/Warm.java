package io.cyclane.model;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.memory.Slab;

/** Waits until the CPU's kernels are compiled: what compiles them takes memory of its own. */
final class Warm {
    private static final long MOST_NANOS = 300_000_000_000L;

    private Warm() {}

    /** {@return the slabs' bytes, without those that a warm-up has for a moment} */
    static long liveBytes() {
        await();
        return Slab.liveBytes();
    }

    /** Returns once no kernel that was bound so far is still on its way. */
    static void await() {
        try (Backend cpu = Backends.open("cpu")) {
            long deadline = System.nanoTime() + MOST_NANOS;
            while (!cpu.isWarm()) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError("the kernels are not compiled after a long time");
                }
                Thread.sleep(10);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}

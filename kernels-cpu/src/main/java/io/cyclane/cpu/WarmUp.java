package io.cyclane.cpu;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Has C2 compile the vector kernels that programs of this process use, on scratch data, while their
 * scalar twins answer.
 *
 * <p>Each {@link CodePath} is run by itself, on few rows and few columns: what C2 waits for are
 * calls, not work. That a path is compiled shows in the heap: code of the Vector API that is
 * interpreted, or compiled by C1, allocates every vector it touches; compiled by C2 it allocates
 * none. So a path is ready when all of its sizes have run some rounds without an allocation. This
 * holds on a busy machine too, where times tell nothing.
 *
 * <p>A path that still allocates after {@value #MOST_ROUNDS} rounds and {@value #MOST_SECONDS}
 * seconds is decided by the clock: the faster form runs from then on, and if it is the scalar one a
 * warning says so, once.
 *
 * <p>One daemon thread of low priority does it, one round of each path after the other, and ends
 * when nothing is left to do. It rests half of the time, for the compiler's sake and the callers'.
 */
final class WarmUp {
    /** Whether a path's vectors have been compiled. */
    static final class Readiness {
        private volatile boolean ready;

        /** {@return whether the vectors may run} */
        boolean isReady() {
            return ready;
        }
    }

    /** Rounds without an allocation that make a path ready. */
    private static final int CLEAN_ROUNDS = 3;

    private static final int MOST_ROUNDS = 3000;
    private static final int MOST_SECONDS = 30;

    private static final Logger LOG = System.getLogger(WarmUp.class.getName());
    private static final Map<CodePath, Readiness> KNOWN = new HashMap<>();
    private static final List<Readying> ARRIVED = new ArrayList<>();
    private static @Nullable Thread worker;

    private WarmUp() {}

    /** {@return whether a path is compiled, now and later; it will be if it is not} */
    static synchronized Readiness of(CodePath path) {
        return KNOWN.computeIfAbsent(
                path,
                _ -> {
                    Readiness readiness = new Readiness();
                    ARRIVED.add(new Readying(path, readiness));
                    if (worker == null) {
                        worker = Thread.ofPlatform().daemon().unstarted(WarmUp::work);
                        worker.setName("cyclane-warm-up");
                        worker.setPriority(Thread.MIN_PRIORITY);
                        worker.start();
                    }
                    return readiness;
                });
    }

    /** {@return whether every path that was asked for has been decided on} */
    static synchronized boolean isDone() {
        return worker == null;
    }

    private static void work() {
        List<Readying> open = new ArrayList<>();
        while (arrived(open)) {
            for (Readying each : List.copyOf(open)) {
                long start = System.nanoTime();
                if (each.isDecidedAfterARound()) {
                    open.remove(each);
                }
                LockSupport.parkNanos(System.nanoTime() - start);
            }
        }
    }

    /** Takes over what has arrived; {@return whether there is work, if not the thread may end} */
    private static synchronized boolean arrived(List<Readying> open) {
        open.addAll(ARRIVED);
        ARRIVED.clear();
        if (open.isEmpty()) {
            worker = null;
            return false;
        }
        return true;
    }

    /** A path on its way. */
    private static final class Readying {
        private final CodePath path;
        private final Readiness readiness;
        private @Nullable WarmUpRun run;
        private long startNanos;
        private int rounds;
        private int cleanRounds;

        Readying(CodePath path, Readiness readiness) {
            this.path = path;
            this.readiness = readiness;
        }

        boolean isDecidedAfterARound() {
            if (run == null) {
                run = new WarmUpRun(path);
                startNanos = System.nanoTime();
            }
            long allocated = Heap.allocatedDuring(run);
            rounds++;
            cleanRounds = allocated == 0 ? cleanRounds + 1 : 0;
            double seconds = (System.nanoTime() - startNanos) * 1e-9;
            boolean late = rounds >= MOST_ROUNDS && seconds >= MOST_SECONDS;
            if (cleanRounds < CLEAN_ROUNDS && !late) {
                return false;
            }
            readiness.ready = !late || isFaster(run);
            LOG.log(Level.DEBUG, "{0}: {1} rounds, {2} s", path, rounds, seconds);
            run.close();
            return true;
        }

        private boolean isFaster(WarmUpRun timed) {
            boolean faster = timed.vectorsAreFaster();
            if (!faster) {
                LOG.log(
                        Level.WARNING,
                        "the JVM has not compiled the vector kernel of {0} in {1} rounds: its"
                                + " scalar form stays, which is several times slower",
                        path.op(),
                        rounds);
            }
            return faster;
        }
    }

    /** What this thread allocates; a class of its own, to be loaded by the thread that asks. */
    private static final class Heap {
        private static final com.sun.management.@Nullable ThreadMXBean BEAN =
                ManagementFactory.getThreadMXBean() instanceof com.sun.management.ThreadMXBean bean
                                && bean.isThreadAllocatedMemoryEnabled()
                        ? bean
                        : null;

        /** {@return the bytes of a round, or -1 where the JVM does not tell} */
        static long allocatedDuring(WarmUpRun run) {
            long before = BEAN == null ? 0 : BEAN.getCurrentThreadAllocatedBytes();
            run.vectors();
            return BEAN == null ? -1 : BEAN.getCurrentThreadAllocatedBytes() - before;
        }
    }
}

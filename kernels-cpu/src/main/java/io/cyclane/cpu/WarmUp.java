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
 * none. So a path is ready when all of its sizes have run some rounds that tell so ({@link
 * CleanRounds}). This holds on a busy machine too, where times tell nothing.
 *
 * <p>A path that still allocates after {@value #MOST_ROUNDS} rounds and {@value #MOST_SECONDS}
 * seconds is decided by the clock: the faster form runs from then on, and if it is the scalar one a
 * warning says so, once.
 *
 * <p>One daemon thread of low priority does it, one round of each path after the other, products
 * first, then attention, then the rest, and ends when nothing is left to do. It starts late, since
 * a process that wants one answer is soon gone, and rests half of the time, for the callers' sake.
 * A path that has run often enough for C2 to have taken its methods in, and is still slow, rests
 * longer: what the JVM would compile meanwhile is the Vector API's own code for vectors on the
 * heap, of which nobody has any use later.
 */
final class WarmUp {
    /** Whether a path's vectors have been compiled. */
    static final class Readiness {
        private volatile boolean ready;
        private boolean decided;
        private final List<Readiness> followers = new ArrayList<>();

        /** {@return whether the vectors may run} */
        boolean isReady() {
            return ready;
        }

        private void decide(boolean isReady) {
            ready = isReady;
            decided = true;
            followers.forEach(each -> each.ready = isReady);
            followers.clear();
        }

        /** Is what another one is, of the same path, now and later. */
        private void follow(Readiness other) {
            if (other.decided) {
                ready = other.ready;
            } else {
                other.followers.add(this);
            }
        }
    }

    /** A path that is yet to be compared with others. */
    private record Asked(CodePath path, Readiness readiness) {}

    private static final long START_NANOS = 200_000_000;
    private static final int ROUNDS_UNTIL_QUEUED = 64;
    private static final long SLOW_NANOS = 1_000_000;
    private static final long WAIT_NANOS = 20_000_000;

    private static final int MOST_URGENT_ROUNDS = 300;
    private static final int MOST_URGENT_SECONDS = 3;
    private static final int MOST_ROUNDS = 1000;
    private static final int MOST_SECONDS = 30;

    private static final Logger LOG = System.getLogger(WarmUp.class.getName());
    private static final Map<CodePath, Readiness> KNOWN = new HashMap<>();
    private static final List<Asked> ASKED = new ArrayList<>();
    private static final CleanRounds ROUNDS = new CleanRounds();
    private static @Nullable Thread worker;

    private WarmUp() {}

    /**
     * {@return whether a path is compiled, now and later; it will be if it is not}
     *
     * <p>Which paths are the same is found out here only when nothing is under way: to compare the
     * first ones makes a young JVM link a method for each kind of operation, and somebody waits.
     */
    static synchronized Readiness of(CodePath path) {
        Readiness known = worker == null && !KNOWN.isEmpty() ? KNOWN.get(path) : null;
        if (known != null) {
            return known;
        }
        Readiness readiness = new Readiness();
        ASKED.add(new Asked(path, readiness));
        if (worker == null) {
            worker = Thread.ofPlatform().daemon().unstarted(WarmUp::work);
            worker.setName("cyclane-warm-up");
            worker.setPriority(Thread.MIN_PRIORITY);
            worker.start();
        }
        return readiness;
    }

    /** {@return whether every path that was asked for has been decided on} */
    static synchronized boolean isDone() {
        return worker == null;
    }

    private static void work() {
        List<Readying> open = new ArrayList<>();
        LockSupport.parkNanos(START_NANOS);
        while (arrived(open)) {
            for (Readying each : mostUrgent(open)) {
                if (each.isDecidedAfterARound()) {
                    open.remove(each);
                }
                LockSupport.parkNanos(each.restNanos());
            }
        }
    }

    /**
     * {@return those that run before all others} The products alone, while there are any: they are
     * nine tenths of an encoder's work, and C2, which compiles one method after the other, would be
     * with them last, since their code is the largest.
     */
    private static List<Readying> mostUrgent(List<Readying> open) {
        int first = open.stream().mapToInt(Readying::urgency).min().orElseThrow();
        return open.stream().filter(each -> each.urgency() == first).toList();
    }

    /** Takes over what has arrived; {@return whether there is work, if not the thread may end} */
    private static synchronized boolean arrived(List<Readying> open) {
        for (Asked asked : ASKED) {
            Readiness known = KNOWN.putIfAbsent(asked.path, asked.readiness);
            if (known == null) {
                open.add(new Readying(asked.path, asked.readiness));
            } else {
                asked.readiness.follow(known);
            }
        }
        ASKED.clear();
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
        private final CleanRounds.Count count;
        private @Nullable WarmUpRun run;
        private long startNanos;
        private int rounds;
        private long roundNanos;

        Readying(CodePath path, Readiness readiness) {
            this.path = path;
            this.readiness = readiness;
            count = ROUNDS.begin(path);
        }

        /**
         * A path that C2 makes nothing of does not hold up the others for ever. What is nearly
         * ready has many rounds in little time.
         */
        int urgency() {
            boolean late = rounds >= MOST_URGENT_ROUNDS && seconds() >= MOST_URGENT_SECONDS;
            return late ? CodePath.LEAST_URGENT : path.urgency();
        }

        private double seconds() {
            return (System.nanoTime() - startNanos) * 1e-9;
        }

        boolean isDecidedAfterARound() {
            if (run == null) {
                run = new WarmUpRun(path);
                startNanos = System.nanoTime();
            }
            long start = System.nanoTime();
            long allocated = Heap.allocatedDuring(run);
            roundNanos = System.nanoTime() - start;
            rounds++;
            boolean clean = count.isCleanAfter(allocated);
            boolean late = rounds >= MOST_ROUNDS && seconds() >= MOST_SECONDS;
            if (!clean && !late) {
                return false;
            }
            readiness.decide(clean || isFaster(run));
            LOG.log(Level.DEBUG, "{0}: {1} rounds, {2} s", path, rounds, seconds());
            run.close();
            return true;
        }

        long restNanos() {
            boolean waiting = rounds > ROUNDS_UNTIL_QUEUED && roundNanos > SLOW_NANOS;
            return waiting ? Math.max(WAIT_NANOS, roundNanos) : roundNanos;
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

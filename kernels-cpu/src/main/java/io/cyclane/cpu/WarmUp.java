package io.cyclane.cpu;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Has C2 compile the vector kernels that programs of this process use, on scratch data, while their
 * scalar twins answer.
 *
 * <p>Each {@link CodePath} is run by itself, on few rows and few columns: what C2 waits for are
 * calls, not work. That a path is compiled shows in the heap: code of the Vector API that is
 * interpreted, or compiled by C1, allocates every vector it touches; compiled by C2 it allocates
 * none. So a path is ready when all of its sizes have run a few times without an allocation. This
 * holds on a busy machine too, where times tell nothing.
 *
 * <p>A path that still allocates after {@value #MOST_ROUNDS} rounds is decided by the clock: the
 * faster form stays, and if it is the scalar one a warning says so, once.
 *
 * <p>One daemon thread of low priority does it and ends when nothing is left to do. After the first
 * rounds it pauses between them and leaves the processor to the compiler.
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
    private static final int ROUNDS_WITHOUT_PAUSE = 40;
    private static final int PAUSE_MILLIS = 2;

    private static final Logger LOG = System.getLogger(WarmUp.class.getName());
    private static final Map<CodePath, Readiness> KNOWN = new HashMap<>();
    private static final Deque<CodePath> WAITING = new ArrayDeque<>();
    private static @Nullable Thread worker;

    private WarmUp() {}

    /** {@return whether a path is compiled, now and later; it will be if it is not} */
    static synchronized Readiness of(CodePath path) {
        Readiness known = KNOWN.get(path);
        if (known != null) {
            return known;
        }
        Readiness readiness = new Readiness();
        KNOWN.put(path, readiness);
        WAITING.add(path);
        if (worker == null) {
            worker = Thread.ofPlatform().daemon().name("cyclane-warm-up").unstarted(WarmUp::work);
            worker.setPriority(Thread.MIN_PRIORITY);
            worker.start();
        }
        return readiness;
    }

    private static void work() {
        for (CodePath path = next(); path != null; path = next()) {
            boolean compiled;
            try (WarmUpRun run = new WarmUpRun(path)) {
                compiled = compile(run, path);
            }
            if (compiled) {
                readiness(path).ready = true;
            }
        }
    }

    private static synchronized @Nullable CodePath next() {
        CodePath path = WAITING.poll();
        if (path == null) {
            worker = null;
        }
        return path;
    }

    private static synchronized Readiness readiness(CodePath path) {
        Readiness readiness = KNOWN.get(path);
        assert readiness != null : path;
        return readiness;
    }

    /** {@return whether the vectors are to run from now on} */
    private static boolean compile(WarmUpRun run, CodePath path) {
        int clean = 0;
        for (int round = 1; round <= MOST_ROUNDS; round++) {
            long before = allocatedBytes();
            run.vectors();
            clean = allocatedBytes() == before ? clean + 1 : 0;
            if (clean == CLEAN_ROUNDS && before >= 0) {
                return true;
            }
            if (round > ROUNDS_WITHOUT_PAUSE) {
                pause();
            }
        }
        boolean faster = run.vectorsAreFaster();
        if (!faster) {
            LOG.log(
                    Level.WARNING,
                    "the JVM has not compiled the vector kernel of {0} in {1} rounds: its scalar form, which is slower than vectors should be, stays",
                    path.op(),
                    MOST_ROUNDS);
        }
        return faster;
    }

    /** {@return what this thread has allocated on the heap, or -1 where the JVM does not tell} */
    private static long allocatedBytes() {
        return ManagementFactory.getThreadMXBean() instanceof com.sun.management.ThreadMXBean bean
                ? bean.getCurrentThreadAllocatedBytes()
                : -1;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            // Nobody has this thread to interrupt it; the next round is as good at once.
            Thread.interrupted();
        }
    }
}

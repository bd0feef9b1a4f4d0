package io.cyclane.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A small pool of threads that run the pieces of one task at a time; the caller is one of them.
 *
 * <p>Whoever is free claims the next piece, so nobody waits for a thread that has not woken up: the
 * caller alone would finish the task. Helpers spin for {@value #SPIN_NANOS} ns after their last
 * piece, so that the next kernel of a forward pass finds them awake, and then park. A run allocates
 * nothing.
 *
 * <p>Thread safe. A call that comes while another task is running, from another caller or from
 * inside a piece, runs all its pieces itself, on worker 0, at once: with several callers the cores
 * are busy anyway, and waiting inside a piece could never end. Scratch memory must therefore belong
 * to the caller, never to the pool.
 *
 * <p>The helpers are daemon threads, ended by {@link #close()}.
 */
public final class Workers implements AutoCloseable {
    /** A task cut in pieces that may run in any order and at the same time. */
    @FunctionalInterface
    public interface Task {
        /**
         * Runs one piece.
         *
         * @param index the piece, from 0
         * @param worker who runs it, below {@link Workers#threads()}: no two pieces of a run are at
         *     work under the same number at the same time, so it may choose a slot of scratch
         */
        void piece(int index, int worker);
    }

    /** How long a helper without work stays awake. */
    static final long SPIN_NANOS = 200_000;

    private static final int NONE = Integer.MAX_VALUE;
    private static final int SPINS_PER_LOOK_AT_THE_CLOCK = 64;
    private static final ConcurrentHashMap<Integer, Workers> SHARED = new ConcurrentHashMap<>();
    private static final VarHandle TICKETS;
    private static final VarHandle LEFT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TICKETS = lookup.findVarHandle(Workers.class, "tickets", long.class);
            LEFT = lookup.findVarHandle(Workers.class, "left", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Thread[] helpers;
    private final boolean shared;
    private final AtomicBoolean busy = new AtomicBoolean();
    private final AtomicInteger parked = new AtomicInteger();

    /*
     * The job: its number in the upper half of `tickets`, its next unclaimed piece in the lower. A
     * claim is a compare-and-set of both, so it can not take a piece of a later job. `task` and
     * `pieces` change only between jobs; a claim that succeeds proves that what was read of them
     * before belongs to the job, which can not have ended while the piece was unclaimed. Between
     * jobs the lower half is NONE: else a helper still holding the last ticket of one job could
     * spend it on the task of the next.
     */
    private volatile long tickets = NONE;
    private volatile int left;
    private volatile int pieces;
    private volatile @Nullable Task task;
    private volatile @Nullable Throwable failure;
    private volatile @Nullable Thread waiting;
    private volatile boolean closed;

    /**
     * Starts a pool of its own.
     *
     * @param threads how many threads work on a task, the caller among them; at least 1, and more
     *     than the machine has cores is allowed
     */
    public Workers(int threads) {
        this(threads, false);
    }

    private Workers(int threads, boolean shared) {
        if (threads < 1) {
            throw new IllegalArgumentException("workers: at least 1 thread, not " + threads);
        }
        this.shared = shared;
        helpers = new Thread[threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            int worker = i + 1;
            helpers[i] =
                    Thread.ofPlatform()
                            .daemon()
                            .name("cyclane-worker-" + worker)
                            .unstarted(() -> help(worker));
        }
        for (Thread helper : helpers) {
            helper.start();
        }
    }

    /** {@return the pool of this many threads that the process shares; it is never closed} */
    public static Workers shared(int threads) {
        return SHARED.computeIfAbsent(threads, count -> new Workers(count, true));
    }

    /** {@return how many threads work on a task, the caller among them} */
    public int threads() {
        return helpers.length + 1;
    }

    /**
     * Runs every piece and returns when all have ended. If one throws, the pieces not yet begun are
     * left out and what it threw (the first that was seen, of several) is thrown here.
     *
     * @throws IllegalStateException if the pool is closed
     */
    public void run(Task task, int pieces) {
        if (closed) {
            throw new IllegalStateException("these workers are closed");
        }
        if (pieces < 2 || helpers.length == 0 || !busy.compareAndSet(false, true)) {
            for (int i = 0; i < pieces; i++) {
                task.piece(i, 0);
            }
            return;
        }
        Throwable thrown;
        try {
            begin(task, pieces);
            work(0);
            await();
            thrown = failure;
        } finally {
            tickets |= NONE;
            this.task = null;
            failure = null;
            busy.set(false);
        }
        rethrow(thrown);
    }

    private void begin(Task newTask, int newPieces) {
        task = newTask;
        pieces = newPieces;
        left = newPieces;
        long job = (tickets >>> 32) + 1;
        tickets = job << 32;
        if (parked.get() > 0) {
            for (Thread helper : helpers) {
                LockSupport.unpark(helper);
            }
        }
    }

    /** Claims and runs pieces until none is left; {@return whether there was one} */
    private boolean work(int worker) {
        boolean worked = false;
        while (true) {
            long ticket = tickets;
            int index = (int) ticket;
            Task claimed = task;
            if (claimed == null || index >= pieces) {
                return worked;
            }
            if (TICKETS.compareAndSet(this, ticket, ticket + 1)) {
                runClaimed(claimed, index, worker);
                worked = true;
            }
        }
    }

    private void runClaimed(Task claimed, int index, int worker) {
        try {
            if (failure == null) {
                claimed.piece(index, worker);
            }
        } catch (Throwable thrown) {
            // Not lost: run() throws it in the caller once every claimed piece has ended.
            if (failure == null) {
                failure = thrown;
            }
        } finally {
            if ((int) LEFT.getAndAdd(this, -1) == 1) {
                LockSupport.unpark(waiting);
            }
        }
    }

    private void await() {
        long until = System.nanoTime() + SPIN_NANOS;
        for (int spins = 1; left > 0; spins++) {
            if (spins % SPINS_PER_LOOK_AT_THE_CLOCK != 0 || System.nanoTime() < until) {
                Thread.onSpinWait();
                continue;
            }
            waiting = Thread.currentThread();
            if (left > 0) {
                LockSupport.park(this);
            }
            waiting = null;
        }
    }

    private void help(int worker) {
        long until = System.nanoTime() + SPIN_NANOS;
        for (int spins = 1; !closed; spins++) {
            if (work(worker)) {
                until = System.nanoTime() + SPIN_NANOS;
            } else if (spins % SPINS_PER_LOOK_AT_THE_CLOCK != 0 || System.nanoTime() < until) {
                Thread.onSpinWait();
            } else {
                // Counted as parked before the last look: begin() then sees the count or we the
                // job.
                parked.incrementAndGet();
                if (!hasWork() && !closed) {
                    LockSupport.park(this);
                }
                parked.decrementAndGet();
                until = System.nanoTime() + SPIN_NANOS;
            }
        }
    }

    private boolean hasWork() {
        return task != null && (int) tickets < pieces;
    }

    private static void rethrow(@Nullable Throwable thrown) {
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown != null) {
            throw new IllegalStateException("a piece threw a checked exception", thrown);
        }
    }

    /**
     * Ends the helpers and waits for them; a task that is running is finished first by those who
     * run it. A second close does nothing.
     *
     * @throws IllegalStateException for the pools of {@link #shared}
     */
    @Override
    public void close() {
        if (shared) {
            throw new IllegalStateException("shared workers live as long as the process");
        }
        closed = true;
        boolean interrupted = false;
        for (Thread helper : helpers) {
            LockSupport.unpark(helper);
            while (helper.isAlive()) {
                try {
                    helper.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

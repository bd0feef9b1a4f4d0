package io.cyclane.tensor.host;

/**
 * The runs in flight that use some memory: who frees it waits for them, and no other begins.
 * Kernels rely on it, for they do not ask with each access whether the memory is still there
 * ({@link io.cyclane.tensor.memory.Window}). Thread-safe.
 */
final class Users {
    private final String what;
    private int count;
    private boolean closed;

    /**
     * None yet.
     *
     * @param what the memory, for messages
     */
    Users(String what) {
        this.what = what;
    }

    /**
     * Begins a run.
     *
     * @throws IllegalStateException where the memory is closed
     */
    synchronized void enter() {
        if (closed) {
            throw new IllegalStateException("the " + what + " closed");
        }
        count++;
    }

    /** Ends a run. */
    synchronized void leave() {
        count--;
        notifyAll();
    }

    /** Refuses runs from now on, and returns when none is in flight. */
    synchronized void close() {
        closed = true;
        boolean isInterrupted = false;
        while (count > 0) {
            try {
                wait();
            } catch (InterruptedException e) {
                isInterrupted = true; // freed memory in use would be worse than a late answer
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

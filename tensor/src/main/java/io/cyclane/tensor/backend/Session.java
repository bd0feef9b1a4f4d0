package io.cyclane.tensor.backend;

import io.cyclane.tensor.memory.Buffer;

/**
 * One arena, and executables laid onto it. One run at a time: a second one at the same time is
 * refused.
 *
 * <p>{@link #close} refuses new runs, waits for the one in flight, then frees; every later call
 * throws {@link IllegalStateException}.
 */
public interface Session extends AutoCloseable {
    /**
     * {@return an executable bound to this session's memory}
     *
     * @throws IllegalArgumentException when the session was not opened for it
     */
    Binding binding(Executable executable);

    /**
     * {@return the memory all its executables share, in host memory where the backend is a host
     * backend}
     */
    Buffer arena();

    /**
     * {@return all the memory it takes: the arena, and input windows and counts of each executable}
     */
    long lengthBytes();

    /** Frees the memory. A second close does nothing. */
    @Override
    void close();
}

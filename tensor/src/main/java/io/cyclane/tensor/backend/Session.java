package io.cyclane.tensor.backend;

import io.cyclane.tensor.memory.Buffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * One arena, and executables laid onto it. One run at a time: a second thread's at the same time is
 * refused, and the runs that one thread begins take turns.
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
    default Binding binding(Executable executable) {
        return bindings(executable).getFirst();
    }

    /**
     * {@return bindings of an executable whose runs may be begun one after the other before the
     * first is awaited} On the host there is one. On a device there are more, each with windows of
     * its own, so that one thread writes a run's inputs and reads another's outputs while the
     * device computes; the runs themselves take turns.
     *
     * @throws IllegalArgumentException when the session was not opened for it
     */
    List<Binding> bindings(Executable executable);

    /**
     * {@return the memory all its executables share}
     *
     * @throws BackendException when it lies where the JVM can not reach it, on a device
     */
    Buffer arena();

    /**
     * Overwrites the memory all its executables share, in 4-byte words as far as they go: what a
     * run reads without having written it then shows.
     */
    default void fill(int word) {
        MemorySegment arena = arena().segment();
        for (long at = 0; at + 4 <= arena.byteSize(); at += 4) {
            arena.set(ValueLayout.JAVA_INT, at, word);
        }
    }

    /**
     * {@return all the memory it takes: the arena, and input windows and counts of each executable}
     */
    long lengthBytes();

    /** Frees the memory. A second close does nothing. */
    @Override
    void close();
}

package io.cyclane.tensor.backend;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.Buffer;
import java.util.OptionalLong;

/**
 * An executable on a session's memory: write the inputs, give the counts, run, read the outputs.
 * Nothing is allocated or looked up while it runs.
 *
 * <p>Outputs are valid until this binding's next run, on the host until the session's next run of
 * any executable. Inputs and counts stay until they are overwritten, which they must not be while a
 * run is under way.
 */
public interface Binding {
    /**
     * {@return the window an input is written to, laid out for its bound}
     *
     * @throws IllegalArgumentException when there is no such input
     */
    Buffer input(String name);

    /**
     * Gives the count of a bounded extent for the next runs.
     *
     * @throws CapacityException when it is above the bound, naming both
     */
    void count(String extent, int count);

    /**
     * Runs the program once.
     *
     * @throws IllegalStateException when a count was not given, the session is closed, or a run is
     *     under way in it
     */
    void run();

    /**
     * Begins a run, as {@link #run} makes it, and returns as soon as the caller's thread is not
     * needed for it: at once where a device computes, at its end where the processor does.
     *
     * @throws IllegalStateException as {@link #run}, and when this binding's last run was begun and
     *     not awaited
     */
    default void start() {
        run();
    }

    /** Waits for the end of the run that was begun, and throws what {@link #run} would have. */
    default void await() {}

    /** {@return how long a device computed the last run, copies apart, if a device did} */
    default OptionalLong deviceNanos() {
        return OptionalLong.empty();
    }

    /**
     * {@return the window an output lies in after a run, laid out for its bound}
     *
     * @throws IllegalArgumentException when there is no such output
     */
    Buffer output(String name);

    /**
     * {@return the window of any value that has a slot} After a run it holds that value only if the
     * plan keeps values apart.
     */
    Buffer value(Tensor tensor);
}

package io.cyclane.tensor.backend;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.Buffer;

/**
 * An executable on a session's memory: write the inputs, give the counts, run, read the outputs.
 * Nothing is allocated or looked up while it runs.
 *
 * <p>Outputs are valid until the session's next run of any executable. Inputs and counts stay until
 * they are overwritten.
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

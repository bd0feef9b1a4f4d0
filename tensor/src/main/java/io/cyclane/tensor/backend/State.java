package io.cyclane.tensor.backend;

import io.cyclane.tensor.Variable;
import io.cyclane.tensor.memory.Buffer;

/**
 * Values that outlive a run. Made and closed by the caller, and shared by any programs that name
 * its variables: by one run at a time, since nothing orders the updates of two.
 */
public interface State extends AutoCloseable {
    /**
     * {@return a variable's memory}
     *
     * @throws BackendException when the state has no such variable
     */
    Buffer buffer(Variable variable);

    /** {@return the memory it takes} */
    long lengthBytes();

    /** Frees the memory once no run uses it. A second close does nothing. */
    @Override
    void close();
}

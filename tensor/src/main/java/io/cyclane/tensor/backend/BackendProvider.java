package io.cyclane.tensor.backend;

import java.util.Optional;

/**
 * Names a backend and tells whether this machine can run it. Found by {@link
 * java.util.ServiceLoader}.
 */
public interface BackendProvider {
    /** {@return what users write: cpu, gpu, reference} */
    String name();

    /**
     * {@return why this machine can not run it, in one sentence with the way out} Touches no native
     * code.
     */
    Optional<String> obstacle();

    /**
     * {@return its place in the choice: of the backends without an obstacle the highest wins} Below
     * 0 is never chosen unasked.
     */
    int rank();

    /** Opens the backend. */
    Backend open();
}

package io.cyclane.gpu.launch;

import io.cyclane.tensor.backend.InputException;

/** Puts into words what a kernel reported: the place of the offender, and 32 bits on what it is. */
@FunctionalInterface
public interface Fault {
    /** {@return the error} */
    InputException error(int place, int what);
}

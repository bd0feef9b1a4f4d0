package io.cyclane.tensor.host;

import io.cyclane.tensor.op.Op;

/**
 * What makes one host backend differ from another: which operations it runs, and how. Thread-safe.
 */
public interface KernelSet extends OpSet, AutoCloseable {
    /** {@return the backend in one phrase} */
    String description();

    /** {@return a kernel on these operands} */
    Kernel kernel(Op op, Operands operands);

    /** {@return whether its kernels are as fast as they will be} */
    default boolean isWarm() {
        return true;
    }

    /** Lets go of threads. */
    @Override
    default void close() {}
}

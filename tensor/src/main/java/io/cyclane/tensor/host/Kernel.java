package io.cyclane.tensor.host;

/**
 * One step of a program, bound to the memory it reads and writes.
 *
 * <p>A kernel is made once per binding and run once per call and round. Running allocates nothing,
 * looks nothing up and checks nothing but what only a bug can break.
 */
@FunctionalInterface
public interface Kernel {
    /** Computes the step's results from its inputs. */
    void run();
}

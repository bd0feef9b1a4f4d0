package io.cyclane.cpu;

import io.cyclane.tensor.host.Kernel;

/**
 * A kernel in vectors and its scalar twin: two ways to the same bits.
 *
 * <p>Until C2 has compiled it, code of the Vector API keeps every vector on the heap and runs at
 * 0.1 to 0.3 GFLOP/s. The twin is plain Java on arrays, in the vectors' order of operations: each
 * product that is summed is a fused multiply-add, each sum is kept in as many parts as the vectors
 * keep and joined as they are. It needs no compiled vector code, may allocate, and is the oracle
 * that the vectors are tested against.
 */
public interface TwinKernel extends Kernel {
    /** Does what {@link #run} does, bit for bit, without vectors. */
    void runScalar();
}

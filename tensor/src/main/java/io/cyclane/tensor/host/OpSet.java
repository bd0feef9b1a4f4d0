package io.cyclane.tensor.host;

import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Program;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Which operations a backend runs, and in what form it reads their weights: all that lowering and
 * packing ask of a backend, wherever its memory lies. Thread-safe.
 */
public interface OpSet {
    /** {@return the backend's name} */
    String name();

    /** {@return the program with operations fused or retyped as these kernels like them} */
    default Program prepare(Program program) {
        return program;
    }

    /**
     * {@return whether there is a kernel for an operation}
     *
     * @param isWeight tells of each input whether it is a parameter, and so comes packed
     */
    boolean has(Op op, List<Type> inputs, IntPredicate isWeight);

    /** {@return how many bytes of scratch a kernel wants, for all its workers together} */
    long scratchBytes(Op op, List<Type> inputs);

    /**
     * {@return the form in which a kernel reads a parameter} Where a parameter starts a carry or
     * updates a variable it is read as {@link io.cyclane.tensor.op.Copy} reads it, which must be
     * row-major.
     */
    Packing packing(Op op, int input);
}

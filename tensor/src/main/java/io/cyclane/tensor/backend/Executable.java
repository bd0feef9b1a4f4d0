package io.cyclane.tensor.backend;

import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.program.Program;

/** A program ready to run. Immutable, owns no bytes, shared by sessions and threads. */
public interface Executable {
    /** {@return the lowered program} */
    Program program();

    /** {@return where its values lie} */
    MemoryPlan plan();

    /** {@return the weights it reads} */
    Weights weights();
}

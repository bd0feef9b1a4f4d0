package io.cyclane.tensor.host;

import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.program.Program;

/** A lowered program with its plan, weights and kernels: all a binding is made from. */
record HostExecutable(Program program, MemoryPlan plan, HostWeights weights, KernelSet kernels)
        implements Executable {}

package io.cyclane.gpu;

import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.program.Program;

/** A lowered program with its plan, weights and kernels: all a binding is made from. */
record GpuExecutable(
        Program program, MemoryPlan plan, GpuWeights weights, GpuKernels kernels, Gpu gpu)
        implements Executable {}

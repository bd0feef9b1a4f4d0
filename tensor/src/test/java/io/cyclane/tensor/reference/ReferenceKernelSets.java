package io.cyclane.tensor.reference;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.host.KernelSet;

/** The reference backend's kernels, for tests that wrap them or run them one by one. */
public final class ReferenceKernelSets {
    private ReferenceKernelSets() {}

    /** {@return the kernels that hold F32 values as F32} */
    public static KernelSet f32() {
        return new ReferenceKernels(DType.F32);
    }
}

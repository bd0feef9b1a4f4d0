package io.cyclane.tensor.reference;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.host.HostBackend;

/**
 * The backend in plain Java: every operation in the obvious loops, with sums in {@code double}. It
 * needs no flags, and is the oracle for every other backend.
 */
public final class ReferenceBackend {
    private ReferenceBackend() {}

    /**
     * {@return the backend with values held as programs type them: F32 results are rounded once
     * each}
     */
    public static Backend open() {
        return new HostBackend(new ReferenceKernels(DType.F32));
    }

    /**
     * {@return the backend with values stored in bf16, each result rounded to it} What that costs
     * in accuracy, and no more: sums are as exact as ever.
     */
    public static Backend openBf16() {
        return new HostBackend(new ReferenceKernels(DType.BF16));
    }

    /**
     * {@return the backend with every F32 value held as F64} Inputs and outputs that a program
     * types F32 are F64 in its lowered form, and are written and read so.
     */
    public static Backend openExact() {
        return new HostBackend(new ReferenceKernels(DType.F64));
    }
}

package io.cyclane.cpu;

import io.cyclane.tensor.host.Kernel;

/** A kernel that runs as its scalar twin until C2 has compiled the vectors. */
final class ColdKernel implements Kernel {
    private final TwinKernel kernel;
    private final WarmUp.Readiness vectors;

    ColdKernel(TwinKernel kernel, WarmUp.Readiness vectors) {
        this.kernel = kernel;
        this.vectors = vectors;
    }

    @Override
    public void run() {
        if (vectors.isReady()) {
            kernel.run();
        } else {
            kernel.runScalar();
        }
    }
}

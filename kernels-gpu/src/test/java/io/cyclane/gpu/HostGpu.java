package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import java.util.OptionalLong;

/** Opens the GPU backend on the host. */
final class HostGpu {
    private HostGpu() {}

    /** {@return the backend; the test is skipped where no kernels can be compiled} */
    static Backend open() {
        return open(HostDriver.orSkip());
    }

    /** {@return the backend on this driver} */
    static Backend open(HostDriver driver) {
        return GpuBackend.open(driver, OptionalLong.empty());
    }
}

package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import java.util.OptionalLong;

/** Opens the GPU backend on the host. */
public final class GpuOnHost {
    private GpuOnHost() {}

    /** {@return the backend; the test is skipped where no kernels can be compiled} */
    public static Backend open() {
        return open(HostDriver.orSkip());
    }

    /** {@return the backend on this driver} */
    public static Backend open(HostDriver driver) {
        return open(driver, Precision.F32);
    }

    /** {@return the backend on this driver, values stored in bf16} */
    public static Backend openBf16(HostDriver driver) {
        return open(driver, Precision.BF16);
    }

    /** {@return the backend on this driver, values stored and multiplied so} */
    static Backend open(HostDriver driver, Precision precision) {
        return GpuBackend.open(driver, OptionalLong.empty(), precision);
    }
}

package io.cyclane.gpu;

import io.cyclane.gpu.driver.CudaDriver;
import io.cyclane.gpu.ptx.PtxLibrary;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import java.util.Optional;

/** Offers the GPU backend where the system has a driver that takes our PTX, and a device. */
public final class GpuProvider implements BackendProvider {
    static final String NAME = "gpu";

    /** For {@link java.util.ServiceLoader}. */
    public GpuProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    /** Touches native code only where the system has the driver's library. */
    @Override
    public Optional<String> obstacle() {
        return new CudaDriver().obstacle(PtxLibrary.toolkit());
    }

    @Override
    public int rank() {
        return 200;
    }

    @Override
    public Backend open() {
        return GpuBackend.open(new CudaDriver());
    }
}

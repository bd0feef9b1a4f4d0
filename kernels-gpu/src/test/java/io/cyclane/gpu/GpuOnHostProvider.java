package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import java.util.Optional;

/** Offers the GPU backend on the host by name, to whole models; never chosen unasked. */
public final class GpuOnHostProvider implements BackendProvider {
    static final String NAME = "gpu-on-host";

    /** For {@link java.util.ServiceLoader}. */
    public GpuOnHostProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Optional<String> obstacle() {
        return Optional.empty();
    }

    @Override
    public int rank() {
        return -1;
    }

    @Override
    public Backend open() {
        return GpuOnHost.open(HostDriver.orSkip());
    }
}

package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Offers the GPU backend on the host by name, in the precision of the settings, to whole models;
 * never chosen unasked.
 */
public final class GpuOnHostProvider implements BackendProvider {
    static final String NAME = "gpu-on-host";

    private static volatile @Nullable HostDriver last;

    /** {@return the driver of the backend that was opened last} */
    static HostDriver last() {
        return Objects.requireNonNull(last, "none was opened");
    }

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
        HostDriver driver = HostDriver.orSkip();
        last = driver;
        return GpuOnHost.open(driver, Precision.ofSettings());
    }
}

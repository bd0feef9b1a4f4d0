package io.cyclane.gpu;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Offers the GPU backend on the host by name, in the precision of the settings, to whole models;
 * never chosen unasked.
 */
public final class GpuOnHostProvider extends NamedProvider {
    static final String NAME = "gpu-on-host";

    private static volatile @Nullable HostDriver last;

    /** {@return the driver of the backend that was opened last} */
    static HostDriver last() {
        return Objects.requireNonNull(last, "none was opened");
    }

    /** For {@link java.util.ServiceLoader}. */
    public GpuOnHostProvider() {
        super(NAME);
    }

    @Override
    public Backend open() {
        HostDriver driver = HostDriver.orSkip();
        last = driver;
        return GpuOnHost.open(driver, Precision.ofSettings());
    }
}

package io.cyclane.gpu.driver;

/** Kernels that were loaded together. */
public interface KernelModule extends AutoCloseable {
    /**
     * {@return the kernel of this name}
     *
     * @throws DriverException when there is none
     */
    KernelFunction function(String name);

    /** Unloads them. A second close does nothing. */
    @Override
    void close();
}

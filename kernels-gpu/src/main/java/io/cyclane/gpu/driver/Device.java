package io.cyclane.gpu.driver;

/**
 * One device, in a context of its own. Thread-safe; what it makes is used by one thread at a time.
 *
 * <p>Every method throws {@link io.cyclane.tensor.backend.DeviceLostException} once the device is
 * lost, and {@link DriverException} when a call fails otherwise.
 */
public interface Device extends AutoCloseable {
    /** {@return what it is} */
    DeviceTraits traits();

    /** {@return how many bytes of its memory nobody has taken} */
    long freeBytes();

    /** {@return memory of the device, its contents unknown} */
    DeviceMemory allocate(long lengthBytes);

    /** {@return memory of the host that the device copies from and to without the processor} */
    StagingMemory allocateStaging(long lengthBytes);

    /**
     * {@return kernels compiled from PTX}
     *
     * @param name what the PTX is called, for messages
     */
    KernelModule load(String name, byte[] ptx);

    /**
     * {@return the descriptor by which kernels on this device name tiles of a value, to be handed
     * to them by value}
     */
    byte[] describe(TensorTiles tiles);

    /** {@return a new queue of work} */
    Stream stream();

    /** {@return a new mark of time} */
    Event event();

    /** Gives the context back. Close what was made in it before. A second close does nothing. */
    @Override
    void close();
}

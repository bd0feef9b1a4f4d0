package io.cyclane.gpu.driver;

/** A block of a device's memory, aligned to 256 bytes. Only who allocated it closes it. */
public interface DeviceMemory extends AutoCloseable {
    /** {@return its first byte, as kernels address it} */
    long address();

    /** {@return its size} */
    long lengthBytes();

    /** Gives it back. A second close does nothing. */
    @Override
    void close();
}

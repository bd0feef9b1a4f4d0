package io.cyclane.gpu.driver;

/**
 * A block of a device's memory, aligned to {@value #ALIGNMENT_BYTES} bytes. Only who allocated it
 * closes it.
 */
public interface DeviceMemory extends AutoCloseable {
    /** What the address of a block is a multiple of. */
    int ALIGNMENT_BYTES = 256;

    /** {@return so many bytes rounded up to where a value in a block may begin like a block} */
    static long aligned(long bytes) {
        return (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
    }

    /** {@return its first byte, as kernels address it} */
    long address();

    /** {@return its size} */
    long lengthBytes();

    /** Gives it back. A second close does nothing. */
    @Override
    void close();
}

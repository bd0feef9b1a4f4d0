package io.cyclane.tensor;

/** The type of one element. Bytes are little-endian wherever they leave the process. */
public enum DType {
    /** IEEE binary32, the type CPU kernels compute in. */
    F32(4),
    /**
     * IEEE binary64, used by the reference backend to hold F32 values exactly enough to judge
     * others.
     */
    F64(8),
    /** The upper half of an F32: eight exponent bits, seven of fraction. A storage type. */
    BF16(2),
    /** IEEE binary16. A storage type. */
    F16(2),
    /** A signed byte. A storage type. */
    I8(1),
    /** A signed 32-bit integer: ids, positions, offsets, counts. */
    I32(4);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** {@return the size of one element in bytes} */
    public int bytes() {
        return bytes;
    }

    /**
     * {@return the type of sums of such elements that are read as numbers: F32 for storage types of
     * fewer bits, else the type itself}
     */
    public DType accumulated() {
        return this == BF16 || this == F16 ? F32 : this;
    }

    /** {@return whether elements are floating-point numbers} */
    public boolean isFloat() {
        return this != I8 && this != I32;
    }
}

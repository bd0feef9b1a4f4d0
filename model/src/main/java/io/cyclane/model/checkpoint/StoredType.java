package io.cyclane.model.checkpoint;

import io.cyclane.tensor.DType;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The type of one stored element, named as safetensors names it. Bytes are little-endian.
 *
 * <p>Files hold more types than Cyclane computes with: {@link #dtype} tells which of them a value
 * may have at run time.
 */
public enum StoredType {
    /** One byte, 0 or 1. */
    BOOL(8),
    /** Four-bit float, two elements a byte. */
    F4(4),
    /** Six-bit float with two exponent bits. */
    F6_E2M3(6),
    /** Six-bit float with three exponent bits. */
    F6_E3M2(6),
    /** Unsigned byte. */
    U8(8),
    /** Signed byte. */
    I8(8),
    /** Eight-bit float with five exponent bits. */
    F8_E5M2(8),
    /** Eight-bit float with four exponent bits. */
    F8_E4M3(8),
    /** Eight-bit power of two, a scale. */
    F8_E8M0(8),
    /** {@link #F8_E4M3} without infinities or a negative zero. */
    F8_E4M3FNUZ(8),
    /** {@link #F8_E5M2} without infinities or a negative zero. */
    F8_E5M2FNUZ(8),
    /** Signed 16-bit integer. */
    I16(16),
    /** Unsigned 16-bit integer. */
    U16(16),
    /** IEEE binary16. */
    F16(16),
    /** The upper half of an F32. */
    BF16(16),
    /** Signed 32-bit integer. */
    I32(32),
    /** Unsigned 32-bit integer. */
    U32(32),
    /** IEEE binary32. */
    F32(32),
    /** Two F32: real and imaginary part. */
    C64(64),
    /** IEEE binary64. */
    F64(64),
    /** Signed 64-bit integer. */
    I64(64),
    /** Unsigned 64-bit integer. */
    U64(64);

    private static final Map<String, StoredType> BY_NAME =
            Stream.of(values()).collect(Collectors.toMap(StoredType::name, type -> type));

    private final int bits;

    StoredType(int bits) {
        this.bits = bits;
    }

    /** {@return the type of that name in a safetensors header, if there is one} */
    public static Optional<StoredType> named(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /** {@return the size of one element in bits} */
    public int bits() {
        return bits;
    }

    /** {@return the element type of the same bits that programs know, if there is one} */
    public Optional<DType> dtype() {
        return switch (this) {
            case F32 -> Optional.of(DType.F32);
            case F64 -> Optional.of(DType.F64);
            case F16 -> Optional.of(DType.F16);
            case BF16 -> Optional.of(DType.BF16);
            case I8 -> Optional.of(DType.I8);
            case I32 -> Optional.of(DType.I32);
            case BOOL,
                    F4,
                    F6_E2M3,
                    F6_E3M2,
                    U8,
                    F8_E5M2,
                    F8_E4M3,
                    F8_E8M0,
                    F8_E4M3FNUZ,
                    F8_E5M2FNUZ,
                    I16,
                    U16,
                    U32,
                    C64,
                    I64,
                    U64 ->
                    Optional.empty();
        };
    }

    /**
     * The bytes that elements of these extents take.
     *
     * @throws ArithmeticException when they do not fit a long or do not end on a byte
     */
    long bytes(Iterable<Long> extents) {
        boolean isEmpty = false;
        for (long extent : extents) {
            if (extent < 0) {
                throw new ArithmeticException("an extent is negative: " + extent);
            }
            isEmpty |= extent == 0;
        }
        // Overflow counts even beside a zero, so that no order of the extents reads differently.
        long elements = 1;
        for (long extent : extents) {
            elements = Math.multiplyExact(elements, Math.max(1, extent));
        }
        long bitCount = Math.multiplyExact(elements, (long) bits);
        if (isEmpty) {
            return 0;
        }
        if (bitCount % 8 != 0) {
            throw new ArithmeticException(bitCount + " bits do not fill whole bytes");
        }
        return bitCount / 8;
    }
}

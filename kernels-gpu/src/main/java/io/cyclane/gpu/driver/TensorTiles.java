package io.cyclane.gpu.driver;

import io.cyclane.tensor.DType;
import java.util.List;

/**
 * How a device's bulk copy engine cuts a value in its memory into tiles: what a kernel on a device
 * of compute capability 9.0 or later names when it has a tile fetched into shared memory. What lies
 * outside of the value is fetched as zeros.
 *
 * @param type of the elements
 * @param address of the first element, a multiple of 16
 * @param extents of the value, the innermost axis first, 1 to 5 of them
 * @param strideBytes from one element of each further axis to the next, multiples of 16
 * @param box the extents of a tile, each at most 256
 * @param swizzle how a tile's 16-byte pieces are dealt to the banks of shared memory
 */
public record TensorTiles(
        DType type,
        long address,
        List<Long> extents,
        List<Long> strideBytes,
        List<Integer> box,
        Swizzle swizzle) {
    /** The bytes of a descriptor, which kernels take by value. */
    public static final int DESCRIPTOR_BYTES = 128;

    private static final int ALIGNMENT_BYTES = 16;
    private static final int MOST_AXES = 5;
    private static final int MOST_BOX = 256;

    /** Over how many bytes of a row its pieces are mixed. */
    public enum Swizzle {
        /** Not at all. */
        NONE,
        /** Over 32 bytes. */
        BYTES_32,
        /** Over 64 bytes. */
        BYTES_64,
        /** Over 128 bytes. */
        BYTES_128
    }

    public TensorTiles {
        extents = List.copyOf(extents);
        strideBytes = List.copyOf(strideBytes);
        box = List.copyOf(box);
        int axes = extents.size();
        boolean isWhole =
                axes >= 1
                        && axes <= MOST_AXES
                        && strideBytes.size() == axes - 1
                        && box.size() == axes
                        && address % ALIGNMENT_BYTES == 0
                        && strideBytes.stream().allMatch(s -> s > 0 && s % ALIGNMENT_BYTES == 0)
                        && extents.stream().allMatch(e -> e >= 1 && e <= 1L << 32)
                        && box.stream().allMatch(b -> b >= 1 && b <= MOST_BOX);
        if (!isWhole) {
            throw new IllegalArgumentException(
                    "tiles of %s at %#x, extents %s, strides of %s bytes, box %s: 1 to %d axes, a stride for each but the innermost, address and strides multiples of %d, boxes up to %d are wanted"
                            .formatted(
                                    type,
                                    address,
                                    extents,
                                    strideBytes,
                                    box,
                                    MOST_AXES,
                                    ALIGNMENT_BYTES,
                                    MOST_BOX));
        }
    }
}

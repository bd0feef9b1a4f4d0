package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.tensor.Bf16;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Weights of two bytes each, as files hold them. */
final class Halves {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Halves() {}

    /**
     * {@return the nearest numbers of a type, ties to even}
     *
     * @param name of the tensor, for messages
     * @param floats F32 in the machine's order
     * @param type F16 or BF16
     * @throws CheckpointException when one is too large for the type
     */
    static MemorySegment of(String name, MemorySegment floats, StoredType type, Arena memory) {
        long elements = floats.byteSize() / Float.BYTES;
        MemorySegment halves = memory.allocate(2 * elements, 8);
        for (long i = 0; i < elements; i++) {
            float x = floats.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            short half = type == StoredType.F16 ? Float.floatToFloat16(x) : Bf16.rounded(x);
            boolean isFinite =
                    Float.isFinite(
                            type == StoredType.F16
                                    ? Float.float16ToFloat(half)
                                    : Bf16.widened(half));
            if (!isFinite) {
                throw new CheckpointException(
                        "tensor '%s': it holds %s at flat index %d, too large for %s"
                                .formatted(name, x, i, type));
            }
            halves.set(SHORT, 2 * i, half);
        }
        return halves;
    }
}

package io.cyclane.tensor.reference;

import io.cyclane.tensor.Bf16;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads and writes the elements of one value as {@code double}, whatever floating-point type it is
 * held in; or as {@code int}.
 */
final class Values {
    private final Place place;
    private final DType dtype;

    Values(Place place, DType dtype) {
        this.place = place;
        this.dtype = dtype;
    }

    double get(long index) {
        MemorySegment from = place.segment();
        long at = place.offset() + dtype.bytes() * index;
        return switch (dtype) {
            case F32 -> from.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
            case F64 -> from.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at);
            case BF16 -> Bf16.widened(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
            case F16 -> Float.float16ToFloat(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
            case I8, I32 -> throw new AssertionError(dtype + " is not floating-point");
        };
    }

    void set(long index, double value) {
        MemorySegment to = place.segment();
        long at = place.offset() + dtype.bytes() * index;
        switch (dtype) {
            case F32 -> to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) value);
            case F64 -> to.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, value);
            case BF16 -> to.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Bf16.rounded(value));
            case F16 ->
                    to.set(
                            ValueLayout.JAVA_SHORT_UNALIGNED,
                            at,
                            Float.floatToFloat16((float) value));
            case I8, I32 -> throw new AssertionError(dtype + " is not floating-point");
        }
    }

    int integer(long index) {
        return place.segment().get(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index);
    }

    void set(long index, int value) {
        place.segment().set(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index, value);
    }
}

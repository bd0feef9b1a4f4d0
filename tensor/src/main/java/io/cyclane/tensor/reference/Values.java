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

    // What nearly every value is held as comes first: this is the inner loop of every reference.
    double get(long index) {
        MemorySegment from = place.segment();
        if (dtype == DType.F32) {
            return from.get(ValueLayout.JAVA_FLOAT_UNALIGNED, place.offset() + 4 * index);
        }
        if (dtype == DType.F64) {
            return from.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, place.offset() + 8 * index);
        }
        short half = from.get(ValueLayout.JAVA_SHORT_UNALIGNED, place.offset() + 2 * index);
        return switch (dtype) {
            case BF16 -> Bf16.widened(half);
            case F16 -> Float.float16ToFloat(half);
            default -> throw new AssertionError(dtype + " is not floating-point");
        };
    }

    void set(long index, double value) {
        MemorySegment to = place.segment();
        if (dtype == DType.F32) {
            to.set(ValueLayout.JAVA_FLOAT_UNALIGNED, place.offset() + 4 * index, (float) value);
        } else if (dtype == DType.F64) {
            to.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, place.offset() + 8 * index, value);
        } else {
            short half =
                    switch (dtype) {
                        case BF16 -> Bf16.rounded(value);
                        case F16 -> Float.floatToFloat16((float) value);
                        default -> throw new AssertionError(dtype + " is not floating-point");
                    };
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, place.offset() + 2 * index, half);
        }
    }

    int integer(long index) {
        return place.segment().get(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index);
    }

    void set(long index, int value) {
        place.segment().set(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index, value);
    }
}

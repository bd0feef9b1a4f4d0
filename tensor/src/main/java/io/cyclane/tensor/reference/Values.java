package io.cyclane.tensor.reference;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.ValueLayout;

/**
 * Reads and writes the elements of one value as {@code double}, whether it is held as F32 or F64;
 * or as {@code int}.
 */
final class Values {
    private final Place place;
    private final DType dtype;

    Values(Place place, DType dtype) {
        this.place = place;
        this.dtype = dtype;
    }

    double get(long index) {
        return dtype == DType.F64
                ? place.segment().get(ValueLayout.JAVA_DOUBLE_UNALIGNED, place.offset() + 8 * index)
                : place.segment().get(ValueLayout.JAVA_FLOAT_UNALIGNED, place.offset() + 4 * index);
    }

    void set(long index, double value) {
        if (dtype == DType.F64) {
            place.segment()
                    .set(ValueLayout.JAVA_DOUBLE_UNALIGNED, place.offset() + 8 * index, value);
        } else {
            place.segment()
                    .set(
                            ValueLayout.JAVA_FLOAT_UNALIGNED,
                            place.offset() + 4 * index,
                            (float) value);
        }
    }

    int integer(long index) {
        return place.segment().get(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index);
    }

    void set(long index, int value) {
        place.segment().set(ValueLayout.JAVA_INT_UNALIGNED, place.offset() + 4 * index, value);
    }
}

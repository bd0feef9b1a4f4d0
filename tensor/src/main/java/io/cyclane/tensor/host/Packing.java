package io.cyclane.tensor.host;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.MemorySegment;

/**
 * A resident form of a weight, as the kernel that reads it wants it: rows to gather, panels for a
 * product.
 *
 * <p>Two packings with the same {@link #layout()} produce the same bytes from the same weight; the
 * layout is part of the key under which the weights shares the packed form.
 */
public interface Packing {
    /**
     * {@return the layout's name, with every constant that shapes it: {@code panels32}, {@code
     * rows}}
     */
    String layout();

    /** {@return the type of the packed elements} */
    default DType precision() {
        return DType.F32;
    }

    /** {@return the size in bytes of a packed weight of this shape} */
    long lengthBytes(Shape shape);

    /**
     * Writes the packed form of a weight of this shape to the start of {@code packed}. Padding is
     * written too, as zeros.
     */
    void pack(WeightReader weight, Shape shape, MemorySegment packed);
}

package io.cyclane.tensor.host;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.MemorySegment;

/**
 * A weight as it is stored: row-major F32. What is gathered from, or read element by element, is
 * packed so.
 */
public final class RowsPacking implements Packing {
    /** The only one there is. */
    public static final RowsPacking ROWS = new RowsPacking();

    private RowsPacking() {}

    @Override
    public String layout() {
        return "rows";
    }

    @Override
    public long lengthBytes(Shape shape) {
        return shape.elements() * Float.BYTES;
    }

    @Override
    public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
        weight.copyTo(packed);
    }
}

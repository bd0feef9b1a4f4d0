package io.cyclane.tensor.host;

import io.cyclane.tensor.Shape;
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
    public void pack(MemorySegment rows, Shape shape, MemorySegment packed) {
        MemorySegment.copy(rows, 0, packed, 0, lengthBytes(shape));
    }
}

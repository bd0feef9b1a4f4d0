package io.cyclane.tensor.reference;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Packing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A weight as it is stored, each element widened to F64. */
final class WideRowsPacking implements Packing {
    static final WideRowsPacking ROWS = new WideRowsPacking();

    private WideRowsPacking() {}

    @Override
    public String layout() {
        return "rows-f64";
    }

    @Override
    public DType precision() {
        return DType.F64;
    }

    @Override
    public long lengthBytes(Shape shape) {
        return shape.elements() * Double.BYTES;
    }

    @Override
    public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
        weight.inBlocks((first, numbers, count) -> {
            for (int i = 0; i < count; i++) {
                packed.setAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, first + i, numbers[i]);
            }
        });
    }
}

package io.cyclane.tensor.host;

import io.cyclane.tensor.Bf16;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A weight as it is stored, each number rounded to bf16: to the nearest, ties to even. */
public final class Bf16RowsPacking implements Packing {
    /** The only one there is. */
    public static final Bf16RowsPacking BF16_ROWS = new Bf16RowsPacking();

    private Bf16RowsPacking() {}

    @Override
    public String layout() {
        return "bf16Rows";
    }

    @Override
    public DType precision() {
        return DType.BF16;
    }

    @Override
    public long lengthBytes(Shape shape) {
        return shape.elements() * Short.BYTES;
    }

    @Override
    public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
        weight.inBlocks((first, numbers, count) -> {
            for (int i = 0; i < count; i++) {
                packed.setAtIndex(
                        ValueLayout.JAVA_SHORT_UNALIGNED, first + i, Bf16.rounded(numbers[i]));
            }
        });
    }
}

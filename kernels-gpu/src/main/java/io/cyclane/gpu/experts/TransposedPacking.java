package io.cyclane.gpu.experts;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import io.cyclane.tensor.host.Packing;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Matrices, stacked [.., O, R], each of them transposed: [.., R, O]. */
public final class TransposedPacking implements Packing {
    /** The only one there is. */
    public static final TransposedPacking TRANSPOSED = new TransposedPacking();

    private TransposedPacking() {}

    @Override
    public String layout() {
        return "transposed";
    }

    @Override
    public long lengthBytes(Shape shape) {
        return shape.elements() * Float.BYTES;
    }

    @Override
    public void pack(WeightReader weight, Shape shape, MemorySegment packed) {
        int columns = shape.last();
        int outputs = shape.withoutLast().last();
        float[] row = new float[columns];
        for (long at = 0; at < shape.elements(); at += (long) outputs * columns) {
            for (int output = 0; output < outputs; output++) {
                weight.read(at + (long) output * columns, row, 0, columns);
                for (int column = 0; column < columns; column++) {
                    packed.setAtIndex(
                            ValueLayout.JAVA_FLOAT_UNALIGNED,
                            at + (long) column * outputs + output,
                            row[column]);
                }
            }
        }
    }
}

package io.cyclane.cpu.norm;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.math.ScalarSums;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * RMS norm: {@code y = x / sqrt(mean of x^2 + eps) * weight}, the mean taken over each row.
 *
 * <p>weight is F32 [width]. Order of the sum: {@link SumOfSquares}. Source: arXiv:1910.07467,
 * section 4.
 */
public record RmsNormRows(Place weight, int width, float eps) implements RowNorm {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    @Override
    public void rows(MemorySegment x, long xAt, MemorySegment y, long yAt, int rows) {
        for (int row = 0; row < rows; row++) {
            long from = xAt + 4L * row * width;
            float mean = SumOfSquares.of(x, from, width) / width;
            scale(x, from, y, yAt + 4L * row * width, 1f / (float) Math.sqrt(mean + eps));
        }
    }

    private void scale(MemorySegment x, long from, MemorySegment y, long to, float scale) {
        MemorySegment s = Window.of(x, from, 4L * width);
        MemorySegment w = Window.of(weight.segment(), weight.offset(), 4L * width);
        MemorySegment t = Window.of(y, to, 4L * width);
        int i = 0;
        for (; i <= width - L; i += L) {
            FloatVector.fromMemorySegment(F32, s, 4L * i, ORDER)
                    .mul(scale)
                    .mul(FloatVector.fromMemorySegment(F32, w, 4L * i, ORDER))
                    .intoMemorySegment(t, 4L * i, ORDER);
        }
        for (; i < width; i++) {
            float normal = s.get(FLOAT, 4L * i) * scale;
            t.set(FLOAT, 4L * i, normal * w.get(FLOAT, 4L * i));
        }
    }

    @Override
    public void scalarRows(MemorySegment x, long xAt, MemorySegment y, long yAt, int rows) {
        float[] weights = Floats.read(weight.segment(), weight.offset(), width);
        for (int row = 0; row < rows; row++) {
            float[] values = Floats.read(x, xAt + 4L * row * width, width);
            float mean = ScalarSums.ofSquares(values, 0f) / width;
            float scale = 1f / (float) Math.sqrt(mean + eps);
            for (int i = 0; i < width; i++) {
                values[i] = values[i] * scale * weights[i];
            }
            Floats.write(values, 0, width, y, yAt + 4L * row * width);
        }
    }
}

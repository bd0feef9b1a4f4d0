package io.cyclane.cpu.norm;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.math.ScalarSums;
import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * Layer norm: {@code y = (x - mean) / sqrt(variance + eps) * weight + bias}, the mean and the
 * biased variance taken over each row.
 *
 * <p>weight and bias are F32 [width]. The variance is that of the differences from the mean, so a
 * large common offset costs no accuracy. Both sums are kept in four vectors, of which vector j
 * takes every fourth group of lanes from group j on; they are joined as (0 + 1) + (2 + 3), what is
 * left of whole groups goes to vector 0 before that, then the lanes by {@link VectorMath#sum}, then
 * the elements of the last broken group one by one.
 *
 * <p>Source: arXiv:1607.06450, section 3.
 *
 * @param bias null for none
 */
public record LayerNormRows(Place weight, @Nullable Place bias, int width, float eps)
        implements RowNorm {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    @Override
    public void rows(MemorySegment x, long xAt, MemorySegment y, long yAt, int rows) {
        for (int row = 0; row < rows; row++) {
            long from = xAt + 4L * row * width;
            float mean = sum(x, from) / width;
            float variance = squares(x, from, mean) / width;
            float scale = 1f / (float) Math.sqrt(variance + eps);
            long to = yAt + 4L * row * width;
            if (bias == null) {
                scale(x, from, y, to, mean, scale);
            } else {
                scaleAndShift(bias, x, from, y, to, mean, scale);
            }
        }
    }

    private float sum(MemorySegment s, long at) {
        MemorySegment row = Window.of(s, at, 4L * width);
        FloatVector sum0 = FloatVector.zero(F32);
        FloatVector sum1 = FloatVector.zero(F32);
        FloatVector sum2 = FloatVector.zero(F32);
        FloatVector sum3 = FloatVector.zero(F32);
        int i = 0;
        for (; i <= width - 4 * L; i += 4 * L) {
            long next = 4L * i;
            sum0 = sum0.add(FloatVector.fromMemorySegment(F32, row, next, ORDER));
            sum1 = sum1.add(FloatVector.fromMemorySegment(F32, row, next + 4L * L, ORDER));
            sum2 = sum2.add(FloatVector.fromMemorySegment(F32, row, next + 8L * L, ORDER));
            sum3 = sum3.add(FloatVector.fromMemorySegment(F32, row, next + 12L * L, ORDER));
        }
        for (; i <= width - L; i += L) {
            sum0 = sum0.add(FloatVector.fromMemorySegment(F32, row, 4L * i, ORDER));
        }
        float sum = VectorMath.sum(sum0.add(sum1).add(sum2.add(sum3)));
        for (; i < width; i++) {
            sum += row.get(FLOAT, 4L * i);
        }
        return sum;
    }

    private float squares(MemorySegment s, long at, float mean) {
        MemorySegment row = Window.of(s, at, 4L * width);
        FloatVector sum0 = FloatVector.zero(F32);
        FloatVector sum1 = FloatVector.zero(F32);
        FloatVector sum2 = FloatVector.zero(F32);
        FloatVector sum3 = FloatVector.zero(F32);
        int i = 0;
        for (; i <= width - 4 * L; i += 4 * L) {
            long next = 4L * i;
            FloatVector d0 = FloatVector.fromMemorySegment(F32, row, next, ORDER).sub(mean);
            FloatVector d1 =
                    FloatVector.fromMemorySegment(F32, row, next + 4L * L, ORDER).sub(mean);
            FloatVector d2 =
                    FloatVector.fromMemorySegment(F32, row, next + 8L * L, ORDER).sub(mean);
            FloatVector d3 =
                    FloatVector.fromMemorySegment(F32, row, next + 12L * L, ORDER).sub(mean);
            sum0 = d0.fma(d0, sum0);
            sum1 = d1.fma(d1, sum1);
            sum2 = d2.fma(d2, sum2);
            sum3 = d3.fma(d3, sum3);
        }
        for (; i <= width - L; i += L) {
            FloatVector d = FloatVector.fromMemorySegment(F32, row, 4L * i, ORDER).sub(mean);
            sum0 = d.fma(d, sum0);
        }
        float sum = VectorMath.sum(sum0.add(sum1).add(sum2.add(sum3)));
        for (; i < width; i++) {
            float d = row.get(FLOAT, 4L * i) - mean;
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    private void scale(
            MemorySegment x, long from, MemorySegment y, long to, float mean, float scale) {
        MemorySegment s = Window.of(x, from, 4L * width);
        MemorySegment w = Window.of(weight.segment(), weight.offset(), 4L * width);
        MemorySegment t = Window.of(y, to, 4L * width);
        int i = 0;
        for (; i <= width - L; i += L) {
            FloatVector.fromMemorySegment(F32, s, 4L * i, ORDER)
                    .sub(mean)
                    .mul(scale)
                    .mul(FloatVector.fromMemorySegment(F32, w, 4L * i, ORDER))
                    .intoMemorySegment(t, 4L * i, ORDER);
        }
        for (; i < width; i++) {
            float normal = (s.get(FLOAT, 4L * i) - mean) * scale;
            t.set(FLOAT, 4L * i, normal * w.get(FLOAT, 4L * i));
        }
    }

    private void scaleAndShift(
            Place shift,
            MemorySegment x,
            long from,
            MemorySegment y,
            long to,
            float mean,
            float scale) {
        MemorySegment s = Window.of(x, from, 4L * width);
        MemorySegment w = Window.of(weight.segment(), weight.offset(), 4L * width);
        MemorySegment b = Window.of(shift.segment(), shift.offset(), 4L * width);
        MemorySegment t = Window.of(y, to, 4L * width);
        int i = 0;
        for (; i <= width - L; i += L) {
            FloatVector.fromMemorySegment(F32, s, 4L * i, ORDER)
                    .sub(mean)
                    .mul(scale)
                    .fma(
                            FloatVector.fromMemorySegment(F32, w, 4L * i, ORDER),
                            FloatVector.fromMemorySegment(F32, b, 4L * i, ORDER))
                    .intoMemorySegment(t, 4L * i, ORDER);
        }
        for (; i < width; i++) {
            float normal = (s.get(FLOAT, 4L * i) - mean) * scale;
            float shifted = Math.fma(normal, w.get(FLOAT, 4L * i), b.get(FLOAT, 4L * i));
            t.set(FLOAT, 4L * i, shifted);
        }
    }

    @Override
    public void scalarRows(MemorySegment x, long xAt, MemorySegment y, long yAt, int rows) {
        float[] weights = Floats.read(weight.segment(), weight.offset(), width);
        float[] shifts = bias == null ? null : Floats.read(bias.segment(), bias.offset(), width);
        for (int row = 0; row < rows; row++) {
            float[] values = Floats.read(x, xAt + 4L * row * width, width);
            float mean = ScalarSums.of(values) / width;
            float variance = ScalarSums.ofSquares(values, mean) / width;
            float scale = 1f / (float) Math.sqrt(variance + eps);
            for (int i = 0; i < width; i++) {
                float normal = (values[i] - mean) * scale;
                values[i] =
                        shifts == null
                                ? normal * weights[i]
                                : Math.fma(normal, weights[i], shifts[i]);
            }
            Floats.write(values, 0, width, y, yAt + 4L * row * width);
        }
    }
}

package io.cyclane.cpu.norm;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.cpu.math.ScalarSums;
import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.host.Count;
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
 * <p>x and y are [rows, width], weight and bias [width]; y may be x. The variance is that of the
 * differences from the mean, so a large common offset costs no accuracy. Both sums are kept in four
 * vectors, of which vector j takes every fourth group of lanes from group j on; they are joined as
 * (0 + 1) + (2 + 3), what is left of whole groups goes to vector 0 before that, then the lanes by
 * {@link VectorMath#sum}, then the elements of the last broken group one by one.
 *
 * <p>Source: arXiv:1607.06450, section 3.
 */
public final class LayerNormKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place x;
    private final Place weight;
    private final @Nullable Place bias;
    private final Place y;
    private final Count rows;
    private final int width;
    private final float eps;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel; a norm without bias has {@code null} there. */
    public LayerNormKernel(
            Place x,
            Place weight,
            @Nullable Place bias,
            Place y,
            Count rows,
            int width,
            float eps,
            Workers workers) {
        this.x = x;
        this.weight = weight;
        this.bias = bias;
        this.y = y;
        this.rows = rows;
        this.width = width;
        this.eps = eps;
        this.rowsPerBlock = RowBlocks.rows(width);
        this.workers = workers;
    }

    @Override
    public void run() {
        count = rows.value();
        workers.run(block, RowBlocks.blocks(count, rowsPerBlock));
    }

    @Override
    public void runScalar() {
        count = rows.value();
        workers.run(scalarBlock, RowBlocks.blocks(count, rowsPerBlock));
    }

    private void block(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        for (int row = first; row < end; row++) {
            long from = x.offset() + 4L * row * width;
            float mean = sum(x.segment(), from) / width;
            float variance = squares(x.segment(), from, mean) / width;
            float scale = 1f / (float) Math.sqrt(variance + eps);
            long to = y.offset() + 4L * row * width;
            if (bias == null) {
                scale(from, to, mean, scale);
            } else {
                scaleAndShift(bias, from, to, mean, scale);
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

    private void scale(long from, long to, float mean, float scale) {
        MemorySegment s = Window.of(x.segment(), from, 4L * width);
        MemorySegment w = Window.of(weight.segment(), weight.offset(), 4L * width);
        MemorySegment t = Window.of(y.segment(), to, 4L * width);
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

    private void scaleAndShift(Place shift, long from, long to, float mean, float scale) {
        MemorySegment s = Window.of(x.segment(), from, 4L * width);
        MemorySegment w = Window.of(weight.segment(), weight.offset(), 4L * width);
        MemorySegment b = Window.of(shift.segment(), shift.offset(), 4L * width);
        MemorySegment t = Window.of(y.segment(), to, 4L * width);
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

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        float[] weights = Floats.read(weight.segment(), weight.offset(), width);
        float[] shifts = bias == null ? null : Floats.read(bias.segment(), bias.offset(), width);
        for (int row = first; row < end; row++) {
            float[] values = Floats.read(x.segment(), x.offset() + 4L * row * width, width);
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
            Floats.write(values, 0, width, y.segment(), y.offset() + 4L * row * width);
        }
    }
}

package io.cyclane.cpu.activation;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.cpu.math.ScalarMath;
import io.cyclane.cpu.math.ScalarSums;
import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Softmax of each row: {@code y = exp(x - max) / sum of exp(x - max)}.
 *
 * <p>x and y are [rows, width]; y may be x. The sum is kept in one vector, whole groups of lanes in
 * order, then the lanes by {@link VectorMath#sum}, then the elements of the last broken group. A
 * row that holds NaN or positive infinity, or nothing but negative infinity, becomes NaN.
 */
public final class SoftmaxKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place x;
    private final Place y;
    private final Count rows;
    private final int width;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel. */
    public SoftmaxKernel(Place x, Place y, Count rows, int width, Workers workers) {
        this.x = x;
        this.y = y;
        this.rows = rows;
        this.width = width;
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
        MemorySegment s = x.segment();
        MemorySegment t = y.segment();
        for (int row = first; row < end; row++) {
            long from = x.offset() + 4L * row * width;
            long to = y.offset() + 4L * row * width;
            float sum = powers(s, from, t, to, highest(s, from, width), width);
            scale(t, to, 1f / sum, width);
        }
    }

    private static float highest(MemorySegment s, long from, int n) {
        FloatVector high = FloatVector.broadcast(F32, Float.NEGATIVE_INFINITY);
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += L) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            high = high.blend(a, a.compare(VectorOperators.GT, high));
        }
        float highest = high.reduceLanes(VectorOperators.MAX);
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            highest = a > highest ? a : highest;
        }
        return highest;
    }

    private static float powers(
            MemorySegment s, long from, MemorySegment t, long to, float highest, int n) {
        FloatVector sums = FloatVector.zero(F32);
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += L) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector power = VectorMath.exp(a.sub(highest));
            power.intoMemorySegment(t, to + 4L * i, ORDER);
            sums = sums.add(power);
        }
        float sum = VectorMath.sum(sums);
        for (; i < n; i++) {
            float power = ScalarMath.exp(s.get(FLOAT, from + 4L * i) - highest);
            t.set(FLOAT, to + 4L * i, power);
            sum += power;
        }
        return sum;
    }

    private static void scale(MemorySegment t, long to, float factor, int n) {
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += L) {
            FloatVector.fromMemorySegment(F32, t, to + 4L * i, ORDER)
                    .mul(factor)
                    .intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            t.set(FLOAT, to + 4L * i, t.get(FLOAT, to + 4L * i) * factor);
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        for (int row = first; row < end; row++) {
            float[] values = Floats.read(x.segment(), x.offset() + 4L * row * width, width);
            scalarSoftmax(values);
            Floats.write(values, 0, width, y.segment(), y.offset() + 4L * row * width);
        }
    }

    private static void scalarSoftmax(float[] values) {
        int n = values.length;
        int bound = n / L * L;
        float highest = scalarHighest(values, bound);
        float[] sums = new float[L];
        for (int i = 0; i < bound; i += L) {
            for (int lane = 0; lane < L; lane++) {
                values[i + lane] = ScalarMath.exp(values[i + lane] - highest);
                sums[lane] += values[i + lane];
            }
        }
        float sum = ScalarSums.ofLanes(sums);
        for (int i = bound; i < n; i++) {
            values[i] = ScalarMath.exp(values[i] - highest);
            sum += values[i];
        }
        float factor = 1f / sum;
        for (int i = 0; i < n; i++) {
            values[i] *= factor;
        }
    }

    private static float scalarHighest(float[] values, int bound) {
        float[] high = new float[L];
        Arrays.fill(high, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < bound; i++) {
            float a = values[i];
            high[i % L] = a > high[i % L] ? a : high[i % L];
        }
        float highest = high[0];
        for (int lane = 1; lane < L; lane++) {
            highest = Math.max(highest, high[lane]);
        }
        for (int i = bound; i < values.length; i++) {
            highest = values[i] > highest ? values[i] : highest;
        }
        return highest;
    }
}

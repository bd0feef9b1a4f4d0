package io.cyclane.cpu.norm;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.cpu.math.ScalarSums;
import io.cyclane.tensor.host.Count;
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
 * <p>x and y are [rows, width], weight is [width]; y may be x. Order of the sum: {@link
 * SumOfSquares}. Source: arXiv:1910.07467, section 4.
 */
public final class RmsNormKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place x;
    private final Place weight;
    private final Place y;
    private final Count rows;
    private final int width;
    private final float eps;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel. */
    public RmsNormKernel(
            Place x, Place weight, Place y, Count rows, int width, float eps, Workers workers) {
        this.x = x;
        this.weight = weight;
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
            float mean = SumOfSquares.of(x.segment(), from, width) / width;
            scale(from, y.offset() + 4L * row * width, 1f / (float) Math.sqrt(mean + eps));
        }
    }

    private void scale(long from, long to, float scale) {
        MemorySegment s = Window.of(x.segment(), from, 4L * width);
        MemorySegment w = Window.of(weight.segment(), weight.offset(), 4L * width);
        MemorySegment t = Window.of(y.segment(), to, 4L * width);
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

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        float[] weights = Floats.read(weight.segment(), weight.offset(), width);
        for (int row = first; row < end; row++) {
            float[] values = Floats.read(x.segment(), x.offset() + 4L * row * width, width);
            float mean = ScalarSums.ofSquares(values, 0f) / width;
            float scale = 1f / (float) Math.sqrt(mean + eps);
            for (int i = 0; i < width; i++) {
                values[i] = values[i] * scale * weights[i];
            }
            Floats.write(values, 0, width, y.segment(), y.offset() + 4L * row * width);
        }
    }
}

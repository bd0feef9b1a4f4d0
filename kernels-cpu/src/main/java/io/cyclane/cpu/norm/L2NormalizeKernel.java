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
 * Rows brought to length one: {@code y = x / max(sqrt(sum of x^2), eps)}.
 *
 * <p>x and y are [rows, width]; y may be x. A row of zeros stays one if eps is above 0. Order of
 * the sum: {@link SumOfSquares}.
 */
public final class L2NormalizeKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place x;
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
    public L2NormalizeKernel(Place x, Place y, Count rows, int width, float eps, Workers workers) {
        this.x = x;
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
            float squares = SumOfSquares.of(x.segment(), from, width);
            float length = (float) Math.sqrt(squares);
            divide(from, y.offset() + 4L * row * width, Math.max(length, eps));
        }
    }

    private void divide(long from, long to, float length) {
        MemorySegment s = Window.of(x.segment(), from, 4L * width);
        MemorySegment t = Window.of(y.segment(), to, 4L * width);
        int i = 0;
        for (; i <= width - L; i += L) {
            FloatVector.fromMemorySegment(F32, s, 4L * i, ORDER)
                    .div(length)
                    .intoMemorySegment(t, 4L * i, ORDER);
        }
        for (; i < width; i++) {
            t.set(FLOAT, 4L * i, s.get(FLOAT, 4L * i) / length);
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        for (int row = first; row < end; row++) {
            float[] values = Floats.read(x.segment(), x.offset() + 4L * row * width, width);
            float length = Math.max((float) Math.sqrt(ScalarSums.ofSquares(values, 0f)), eps);
            for (int i = 0; i < width; i++) {
                values[i] /= length;
            }
            Floats.write(values, 0, width, y.segment(), y.offset() + 4L * row * width);
        }
    }
}

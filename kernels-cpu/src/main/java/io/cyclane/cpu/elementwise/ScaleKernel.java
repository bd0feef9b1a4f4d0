package io.cyclane.cpu.elementwise;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Product with a number: {@code y = factor * x}.
 *
 * <p>x and y are [rows, width]; y may be x.
 */
public final class ScaleKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place x;
    private final Place y;
    private final Count rows;
    private final int width;
    private final float factor;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel. */
    public ScaleKernel(Place x, Place y, Count rows, int width, float factor, Workers workers) {
        this.x = x;
        this.y = y;
        this.rows = rows;
        this.width = width;
        this.factor = factor;
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
        int n = (Math.min(count, first + rowsPerBlock) - first) * width;
        elements(x.offset() + 4L * first * width, y.offset() + 4L * first * width, n);
    }

    private void elements(long xAt, long yAt, int n) {
        MemorySegment from = Window.of(x.segment(), xAt, 4L * n);
        MemorySegment to = Window.of(y.segment(), yAt, 4L * n);
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector.fromMemorySegment(F32, from, 4L * i, ORDER)
                    .mul(factor)
                    .intoMemorySegment(to, 4L * i, ORDER);
        }
        for (; i < n; i++) {
            to.set(FLOAT, 4L * i, from.get(FLOAT, 4L * i) * factor);
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int n = (Math.min(count, first + rowsPerBlock) - first) * width;
        float[] values = Floats.read(x.segment(), x.offset() + 4L * first * width, n);
        for (int i = 0; i < n; i++) {
            values[i] *= factor;
        }
        Floats.write(values, 0, n, y.segment(), y.offset() + 4L * first * width);
    }
}

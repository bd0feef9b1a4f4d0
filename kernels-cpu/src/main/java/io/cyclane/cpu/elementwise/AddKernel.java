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
 * Sum: {@code result = left + right}.
 *
 * <p>left and result are [rows, width]; right is too, or is a [width] vector that every row meets.
 * The result may be left, and may be right if their shapes agree.
 */
public final class AddKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place left;
    private final Place right;
    private final Place result;
    private final Count rows;
    private final int width;
    private final boolean rightIsVector;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel; {@code rightIsVector} says that right is [width]. */
    public AddKernel(
            Place left,
            Place right,
            Place result,
            Count rows,
            int width,
            boolean rightIsVector,
            Workers workers) {
        this.left = left;
        this.right = right;
        this.result = result;
        this.rows = rows;
        this.width = width;
        this.rightIsVector = rightIsVector;
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
        if (rightIsVector) {
            for (int row = first; row < end; row++) {
                long at = 4L * row * width;
                elements(left.offset() + at, right.offset(), result.offset() + at, width);
            }
        } else {
            long at = 4L * first * width;
            elements(
                    left.offset() + at,
                    right.offset() + at,
                    result.offset() + at,
                    (end - first) * width);
        }
    }

    private void elements(long leftAt, long rightAt, long resultAt, int n) {
        MemorySegment a = Window.of(left.segment(), leftAt, 4L * n);
        MemorySegment b = Window.of(right.segment(), rightAt, 4L * n);
        MemorySegment y = Window.of(result.segment(), resultAt, 4L * n);
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector.fromMemorySegment(F32, a, 4L * i, ORDER)
                    .add(FloatVector.fromMemorySegment(F32, b, 4L * i, ORDER))
                    .intoMemorySegment(y, 4L * i, ORDER);
        }
        for (; i < n; i++) {
            y.set(FLOAT, 4L * i, a.get(FLOAT, 4L * i) + b.get(FLOAT, 4L * i));
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int n = (Math.min(count, first + rowsPerBlock) - first) * width;
        long at = 4L * first * width;
        float[] a = Floats.read(left.segment(), left.offset() + at, n);
        float[] b =
                rightIsVector
                        ? Floats.read(right.segment(), right.offset(), width)
                        : Floats.read(right.segment(), right.offset() + at, n);
        for (int i = 0; i < n; i++) {
            a[i] += b[i % b.length];
        }
        Floats.write(a, 0, n, result.segment(), result.offset() + at);
    }
}

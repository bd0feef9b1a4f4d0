package io.cyclane.cpu.experts;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * The weighted sum of each row's choices: {@code y[t] = sum over j of gates[t, j] * x[t, j]}.
 *
 * <p>gates is F32 [rows, choices], x [rows, choices, width], y [rows, width], apart from both. The
 * choices are taken in order from zero, one fused multiply-add each.
 */
public final class CombineKernel implements TwinKernel {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place gates;
    private final Place x;
    private final Place y;
    private final Count rows;
    private final int choices;
    private final int width;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel. */
    public CombineKernel(
            Place gates, Place x, Place y, Count rows, int choices, int width, Workers workers) {
        this.gates = gates;
        this.x = x;
        this.y = y;
        this.rows = rows;
        this.choices = choices;
        this.width = width;
        rowsPerBlock = RowBlocks.rows(choices * width);
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
        int end = Math.min(count, (index + 1) * rowsPerBlock);
        for (int row = index * rowsPerBlock; row < end; row++) {
            combine(
                    gates.segment(),
                    gates.offset() + 4L * row * choices,
                    x.segment(),
                    x.offset() + 4L * row * choices * width,
                    y.segment(),
                    y.offset() + 4L * row * width,
                    choices,
                    width);
        }
    }

    private static void combine(
            MemorySegment gates,
            long gatesAt,
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt,
            int choices,
            int width) {
        int bound = F32.loopBound(width);
        int i = 0;
        for (; i < bound; i += COUNT) {
            FloatVector sums = FloatVector.zero(F32);
            for (int j = 0; j < choices; j++) {
                FloatVector gate = FloatVector.broadcast(F32, gates.get(FLOAT, gatesAt + 4L * j));
                long from = xAt + 4L * ((long) j * width + i);
                sums = gate.fma(fromMemorySegment(F32, x, from, ORDER), sums);
            }
            sums.intoMemorySegment(y, yAt + 4L * i, ORDER);
        }
        for (; i < width; i++) {
            float sum = 0;
            for (int j = 0; j < choices; j++) {
                float gate = gates.get(FLOAT, gatesAt + 4L * j);
                sum = Math.fma(gate, x.get(FLOAT, xAt + 4L * ((long) j * width + i)), sum);
            }
            y.set(FLOAT, yAt + 4L * i, sum);
        }
    }

    private void scalarBlock(int index, int worker) {
        int end = Math.min(count, (index + 1) * rowsPerBlock);
        for (int row = index * rowsPerBlock; row < end; row++) {
            long choicesAt = 4L * row * choices;
            float[] factors = Floats.read(gates.segment(), gates.offset() + choicesAt, choices);
            float[] sums = new float[width];
            for (int j = 0; j < choices; j++) {
                long from = x.offset() + (choicesAt + 4L * j) * width;
                float[] values = Floats.read(x.segment(), from, width);
                for (int i = 0; i < width; i++) {
                    sums[i] = Math.fma(factors[j], values[i], sums[i]);
                }
            }
            Floats.write(sums, 0, width, y.segment(), y.offset() + 4L * row * width);
        }
    }
}

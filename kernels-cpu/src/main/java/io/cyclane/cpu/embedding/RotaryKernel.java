package io.cyclane.cpu.embedding;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rotary position embedding, half-split: element i of a head turns with element i + K/2.
 *
 * <p>{@code y[i] = x[i] cos - x[i + K/2] sin} and {@code y[i + K/2] = x[i + K/2] cos + x[i] sin}
 * for i below K/2. x and y are [T, H*K] with row strides of their own; table is [P, K], a
 * position's row holding its K/2 cosines and then its K/2 sines; positions is I32 [T]. y may be x.
 * The first position outside 0..P-1 is a {@link InputException}, before any row is written.
 *
 * <p>Source: arXiv:2104.09864, section 3.4.2; the pairing of halves is GPT-NeoX's.
 */
public final class RotaryKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private final Place x;
    private final int xStride;
    private final Place table;
    private final Place positions;
    private final Place y;
    private final int yStride;
    private final Count tokens;
    private final int heads;
    private final int headWidth;
    private final int tableRows;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /**
     * Binds the kernel.
     *
     * @param xStride elements from a row of x to the next
     * @param yStride elements from a row of y to the next
     * @param headWidth K, even
     * @param tableRows P, the positions that the table holds
     */
    public RotaryKernel(
            Place x,
            int xStride,
            Place table,
            Place positions,
            Place y,
            int yStride,
            Count tokens,
            int heads,
            int headWidth,
            int tableRows,
            Workers workers) {
        this.x = x;
        this.xStride = xStride;
        this.table = table;
        this.positions = positions;
        this.y = y;
        this.yStride = yStride;
        this.tokens = tokens;
        this.heads = heads;
        this.headWidth = headWidth;
        this.tableRows = tableRows;
        this.rowsPerBlock = RowBlocks.rows(heads * headWidth);
        this.workers = workers;
    }

    @Override
    public void run() {
        run(block);
    }

    @Override
    public void runScalar() {
        run(scalarBlock);
    }

    private void run(Workers.Task task) {
        count = tokens.value();
        for (int token = 0; token < count; token++) {
            int position = positions.segment().get(INT, positions.offset() + 4L * token);
            if (position < 0 || position >= tableRows) {
                throw InputException.rowOutside("position", position, token, tableRows);
            }
        }
        workers.run(task, RowBlocks.blocks(count, rowsPerBlock));
    }

    private void block(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        for (int token = first; token < end; token++) {
            int position = positions.segment().get(INT, positions.offset() + 4L * token);
            long turn = table.offset() + 4L * position * headWidth;
            for (int head = 0; head < heads; head++) {
                long at = 4L * head * headWidth;
                rotate(
                        x.offset() + 4L * token * xStride + at,
                        turn,
                        y.offset() + 4L * token * yStride + at);
            }
        }
    }

    private void rotate(long from, long turn, long to) {
        MemorySegment s = Window.of(x.segment(), from, 4L * headWidth);
        MemorySegment c = Window.of(table.segment(), turn, 4L * headWidth);
        MemorySegment t = Window.of(y.segment(), to, 4L * headWidth);
        int half = headWidth / 2;
        long over = 4L * half;
        int bound = F32.loopBound(half);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            long at = 4L * i;
            FloatVector a = FloatVector.fromMemorySegment(F32, s, at, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, over + at, ORDER);
            FloatVector cos = FloatVector.fromMemorySegment(F32, c, at, ORDER);
            FloatVector sin = FloatVector.fromMemorySegment(F32, c, over + at, ORDER);
            a.fma(cos, b.mul(sin).neg()).intoMemorySegment(t, at, ORDER);
            b.fma(cos, a.mul(sin)).intoMemorySegment(t, over + at, ORDER);
        }
        for (; i < half; i++) {
            long at = 4L * i;
            float a = s.get(FLOAT, at);
            float b = s.get(FLOAT, over + at);
            float cos = c.get(FLOAT, at);
            float sin = c.get(FLOAT, over + at);
            t.set(FLOAT, at, Math.fma(a, cos, -(b * sin)));
            t.set(FLOAT, over + at, Math.fma(b, cos, a * sin));
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        int half = headWidth / 2;
        for (int token = first; token < end; token++) {
            int position = positions.segment().get(INT, positions.offset() + 4L * token);
            long turn = table.offset() + 4L * position * headWidth;
            float[] turns = Floats.read(table.segment(), turn, headWidth);
            long from = x.offset() + 4L * token * xStride;
            float[] values = Floats.read(x.segment(), from, heads * headWidth);
            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < half; i++) {
                    int at = head * headWidth + i;
                    float a = values[at];
                    float b = values[at + half];
                    values[at] = Math.fma(a, turns[i], -(b * turns[half + i]));
                    values[at + half] = Math.fma(b, turns[i], a * turns[half + i]);
                }
            }
            long to = y.offset() + 4L * token * yStride;
            Floats.write(values, 0, values.length, y.segment(), to);
        }
    }
}

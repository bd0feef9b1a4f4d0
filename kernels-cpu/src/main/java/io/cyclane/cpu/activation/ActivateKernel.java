package io.cyclane.cpu.activation;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.TwinKernel;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.RowBlocks;
import io.cyclane.cpu.math.ScalarMath;
import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code y = activation(x)}, element by element.
 *
 * <p>x and y are [rows, width]; y may be x. One loop per function, written out: a loop that takes
 * its function from outside puts every vector on the heap.
 */
public final class ActivateKernel implements TwinKernel {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final Place x;
    private final Place y;
    private final Count rows;
    private final int width;
    private final Activation activation;
    private final int rowsPerBlock;
    private final Workers workers;
    private final Workers.Task block = this::block;
    private final Workers.Task scalarBlock = this::scalarBlock;
    private int count;

    /** Binds the kernel. */
    public ActivateKernel(
            Place x, Place y, Count rows, int width, Activation activation, Workers workers) {
        this.x = x;
        this.y = y;
        this.rows = rows;
        this.width = width;
        this.activation = activation;
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
        MemorySegment s = x.segment();
        MemorySegment t = y.segment();
        long from = x.offset() + 4L * first * width;
        long to = y.offset() + 4L * first * width;
        switch (activation) {
            case IDENTITY -> MemorySegment.copy(s, from, t, to, 4L * n);
            case GELU -> gelu(s, from, t, to, n);
            case GELU_TANH -> geluTanh(s, from, t, to, n);
            case SILU -> silu(s, from, t, to, n);
            case RELU -> relu(s, from, t, to, n);
            case TANH -> tanh(s, from, t, to, n);
        }
    }

    private static void gelu(MemorySegment s, long from, MemorySegment t, long to, int n) {
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            VectorMath.gelu(a).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            t.set(FLOAT, to + 4L * i, ScalarMath.gelu(s.get(FLOAT, from + 4L * i)));
        }
    }

    private static void geluTanh(MemorySegment s, long from, MemorySegment t, long to, int n) {
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            VectorMath.geluTanh(a).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            t.set(FLOAT, to + 4L * i, ScalarMath.geluTanh(s.get(FLOAT, from + 4L * i)));
        }
    }

    private static void silu(MemorySegment s, long from, MemorySegment t, long to, int n) {
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            VectorMath.silu(a).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            t.set(FLOAT, to + 4L * i, ScalarMath.silu(s.get(FLOAT, from + 4L * i)));
        }
    }

    private static void tanh(MemorySegment s, long from, MemorySegment t, long to, int n) {
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            VectorMath.tanh(a).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            t.set(FLOAT, to + 4L * i, ScalarMath.tanh(s.get(FLOAT, from + 4L * i)));
        }
    }

    private static void relu(MemorySegment s, long from, MemorySegment t, long to, int n) {
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            a.blend(0f, a.compare(VectorOperators.LT, 0f)).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, a < 0f ? 0f : a);
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int n = (Math.min(count, first + rowsPerBlock) - first) * width;
        float[] values = Floats.read(x.segment(), x.offset() + 4L * first * width, n);
        ScalarActivation.apply(activation, values, 0, n);
        Floats.write(values, 0, n, y.segment(), y.offset() + 4L * first * width);
    }
}

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
 * A gated linear unit: {@code y = activation(a) * b}, where a and b are the halves of x along the
 * last axis.
 *
 * <p>x is [rows, 2F], y is [rows, F]. Not in place: y is half as wide. Source: arXiv:2002.05202,
 * section 2.
 */
public final class GluKernel implements TwinKernel {
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

    /** Binds the kernel; {@code width} is F, that of the result. */
    public GluKernel(
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
        int end = Math.min(count, first + rowsPerBlock);
        MemorySegment s = x.segment();
        MemorySegment t = y.segment();
        for (int row = first; row < end; row++) {
            long from = x.offset() + 8L * row * width;
            long to = y.offset() + 4L * row * width;
            switch (activation) {
                case IDENTITY -> identity(s, from, t, to, width);
                case GELU -> gelu(s, from, t, to, width);
                case GELU_TANH -> geluTanh(s, from, t, to, width);
                case SILU -> silu(s, from, t, to, width);
                case RELU -> relu(s, from, t, to, width);
                case TANH -> tanh(s, from, t, to, width);
            }
        }
    }

    private static void identity(MemorySegment s, long from, MemorySegment t, long to, int n) {
        long gate = from + 4L * n;
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, gate + 4L * i, ORDER);
            a.mul(b).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, a * s.get(FLOAT, gate + 4L * i));
        }
    }

    private static void gelu(MemorySegment s, long from, MemorySegment t, long to, int n) {
        long gate = from + 4L * n;
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, gate + 4L * i, ORDER);
            VectorMath.gelu(a).mul(b).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, ScalarMath.gelu(a) * s.get(FLOAT, gate + 4L * i));
        }
    }

    private static void geluTanh(MemorySegment s, long from, MemorySegment t, long to, int n) {
        long gate = from + 4L * n;
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, gate + 4L * i, ORDER);
            VectorMath.geluTanh(a).mul(b).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, ScalarMath.geluTanh(a) * s.get(FLOAT, gate + 4L * i));
        }
    }

    private static void silu(MemorySegment s, long from, MemorySegment t, long to, int n) {
        long gate = from + 4L * n;
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, gate + 4L * i, ORDER);
            VectorMath.silu(a).mul(b).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, ScalarMath.silu(a) * s.get(FLOAT, gate + 4L * i));
        }
    }

    private static void tanh(MemorySegment s, long from, MemorySegment t, long to, int n) {
        long gate = from + 4L * n;
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, gate + 4L * i, ORDER);
            VectorMath.tanh(a).mul(b).intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, ScalarMath.tanh(a) * s.get(FLOAT, gate + 4L * i));
        }
    }

    private static void relu(MemorySegment s, long from, MemorySegment t, long to, int n) {
        long gate = from + 4L * n;
        int bound = F32.loopBound(n);
        int i = 0;
        for (; i < bound; i += F32.length()) {
            FloatVector a = FloatVector.fromMemorySegment(F32, s, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, gate + 4L * i, ORDER);
            a.blend(0f, a.compare(VectorOperators.LT, 0f))
                    .mul(b)
                    .intoMemorySegment(t, to + 4L * i, ORDER);
        }
        for (; i < n; i++) {
            float a = s.get(FLOAT, from + 4L * i);
            t.set(FLOAT, to + 4L * i, (a < 0f ? 0f : a) * s.get(FLOAT, gate + 4L * i));
        }
    }

    private void scalarBlock(int index, int worker) {
        int first = index * rowsPerBlock;
        int end = Math.min(count, first + rowsPerBlock);
        for (int row = first; row < end; row++) {
            float[] values = Floats.read(x.segment(), x.offset() + 8L * row * width, 2 * width);
            ScalarActivation.apply(activation, values, 0, width);
            for (int i = 0; i < width; i++) {
                values[i] *= values[width + i];
            }
            Floats.write(values, 0, width, y.segment(), y.offset() + 4L * row * width);
        }
    }
}

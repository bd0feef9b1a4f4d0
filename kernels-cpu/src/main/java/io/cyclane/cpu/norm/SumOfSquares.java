package io.cyclane.cpu.norm;

import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.math.VectorMath;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The sum of the squares of a row, in the order that {@link LayerNormRows} states. */
final class SumOfSquares {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private SumOfSquares() {}

    static float of(MemorySegment s, long at, int n) {
        MemorySegment row = Window.of(s, at, 4L * n);
        FloatVector sum0 = FloatVector.zero(F32);
        FloatVector sum1 = FloatVector.zero(F32);
        FloatVector sum2 = FloatVector.zero(F32);
        FloatVector sum3 = FloatVector.zero(F32);
        int i = 0;
        for (; i <= n - 4 * L; i += 4 * L) {
            long next = 4L * i;
            FloatVector x0 = FloatVector.fromMemorySegment(F32, row, next, ORDER);
            FloatVector x1 = FloatVector.fromMemorySegment(F32, row, next + 4L * L, ORDER);
            FloatVector x2 = FloatVector.fromMemorySegment(F32, row, next + 8L * L, ORDER);
            FloatVector x3 = FloatVector.fromMemorySegment(F32, row, next + 12L * L, ORDER);
            sum0 = x0.fma(x0, sum0);
            sum1 = x1.fma(x1, sum1);
            sum2 = x2.fma(x2, sum2);
            sum3 = x3.fma(x3, sum3);
        }
        for (; i <= n - L; i += L) {
            FloatVector x = FloatVector.fromMemorySegment(F32, row, 4L * i, ORDER);
            sum0 = x.fma(x, sum0);
        }
        float sum = VectorMath.sum(sum0.add(sum1).add(sum2.add(sum3)));
        for (; i < n; i++) {
            float x = row.get(FLOAT, 4L * i);
            sum = Math.fma(x, x, sum);
        }
        return sum;
    }
}

package io.cyclane.cpu.math;

import static io.cyclane.cpu.math.ScalarMath.*;

import io.cyclane.cpu.Lanes;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link VectorMath#gelu} over rows of memory, in place, for kernels that do more than that.
 *
 * <p>It is written out because a method of more than 325 bytes of code is compiled by itself,
 * always. The loop with calls in it is shorter, so C2 may inline it into a kernel; there the
 * helpers are among the last it meets, finds that the kernel has grown too large, and leaves them
 * as calls, with vectors on the heap: 400 bytes a row where it happened, from one run to the next.
 */
public final class GeluRows {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private GeluRows() {}

    /**
     * Applies the function to {@code count} vectors, which fill rows.
     *
     * @param at of the first row, in bytes
     * @param perRow the logarithm to base 2 of the vectors in a row
     * @param rowBytes from one row to the next
     */
    public static void apply(MemorySegment rows, long at, int count, int perRow, long rowBytes) {
        MemorySegment s = Window.of(rows, at, (count >> perRow) * rowBytes);
        for (int i = 0; i < count; i++) {
            int row = i >> perRow;
            long from = row * rowBytes + (i - (row << perRow)) * (4L * Lanes.COUNT);
            FloatVector x = FloatVector.fromMemorySegment(F32, s, from, ORDER);
            FloatVector size = x.abs();
            FloatVector t = size.blend(GELU_LOWEST, size.compare(VectorOperators.GT, GELU_LOWEST));

            // The upper tail of the normal distribution over its density, times t.
            FloatVector u = FloatVector.broadcast(F32, 1f).div(t.add(TAIL_MIDDLE));
            FloatVector v =
                    u.fma(
                            FloatVector.broadcast(F32, -2f * TAIL_MIDDLE),
                            FloatVector.broadcast(F32, 1f));
            FloatVector w = v.mul(v);
            FloatVector odd =
                    FloatVector.broadcast(F32, TAIL_11).fma(w, FloatVector.broadcast(F32, TAIL_9));
            odd = odd.fma(w, FloatVector.broadcast(F32, TAIL_7));
            odd = odd.fma(w, FloatVector.broadcast(F32, TAIL_5));
            odd = odd.fma(w, FloatVector.broadcast(F32, TAIL_3));
            odd = odd.fma(w, FloatVector.broadcast(F32, TAIL_1));
            FloatVector even =
                    FloatVector.broadcast(F32, TAIL_10).fma(w, FloatVector.broadcast(F32, TAIL_8));
            even = even.fma(w, FloatVector.broadcast(F32, TAIL_6));
            even = even.fma(w, FloatVector.broadcast(F32, TAIL_4));
            even = even.fma(w, FloatVector.broadcast(F32, TAIL_2));
            even = even.fma(w, FloatVector.broadcast(F32, TAIL_0));
            FloatVector q = odd.fma(v, even).mul(u).mul(t);

            // The density: exp(-t^2 / 2), with what the square lost in rounding.
            FloatVector square = t.mul(t);
            FloatVector lost = t.fma(t, square.neg());
            FloatVector a = square.mul(-0.5f);
            FloatVector rounded =
                    a.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUNDER));
            FloatVector n = rounded.sub(ROUNDER);
            FloatVector r = n.fma(FloatVector.broadcast(F32, -LN2_HIGH), a);
            r = n.fma(FloatVector.broadcast(F32, -LN2_LOW), r);
            r = lost.fma(FloatVector.broadcast(F32, -0.5f), r);
            FloatVector p =
                    FloatVector.broadcast(F32, EXP_6).fma(r, FloatVector.broadcast(F32, EXP_5));
            p = p.fma(r, FloatVector.broadcast(F32, EXP_4));
            p = p.fma(r, FloatVector.broadcast(F32, EXP_3));
            p = p.fma(r, FloatVector.broadcast(F32, EXP_2));
            FloatVector fraction = FloatVector.broadcast(F32, 1f).add(p.fma(r.mul(r), r));
            IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
            IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
            FloatVector started =
                    fraction.mul(
                                    half.add(127)
                                            .lanewise(VectorOperators.LSHL, 23)
                                            .reinterpretAsFloats())
                            .mul(q);
            FloatVector below =
                    started.mul(
                            exponent.sub(half)
                                    .add(127)
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .reinterpretAsFloats());
            x.blend(-0f, x.compare(VectorOperators.LT, 0f))
                    .sub(below)
                    .intoMemorySegment(s, from, ORDER);
        }
    }
}

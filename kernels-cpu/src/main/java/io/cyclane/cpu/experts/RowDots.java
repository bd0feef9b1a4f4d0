package io.cyclane.cpu.experts;

import static io.cyclane.cpu.Lanes.COUNT;
import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import io.cyclane.cpu.Floats;
import io.cyclane.cpu.math.ScalarSums;
import io.cyclane.cpu.math.VectorMath;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * A few rows of a matrix by one vector: {@code y[o] = sum over i of w[o, i] * x[i]}, for matrices
 * too small, or too seldom the same for two rows, to be worth panels. w is row-major, as it is
 * stored.
 *
 * <p>Each sum is kept in one vector, whole groups of lanes in order, then the lanes are summed by
 * {@link VectorMath#sum}, then come the elements of the last broken group; all by fused
 * multiply-adds.
 */
final class RowDots {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private RowDots() {}

    /** Offsets are in bytes; y lies apart from w and x. */
    static void run(
            MemorySegment w,
            long wAt,
            int outputs,
            int inputs,
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt) {
        int o = 0;
        for (; o + 4 <= outputs; o += 4) {
            four(w, wAt + 4L * o * inputs, inputs, x, xAt, y, yAt + 4L * o);
        }
        for (; o < outputs; o++) {
            one(w, wAt + 4L * o * inputs, inputs, x, xAt, y, yAt + 4L * o);
        }
    }

    /** Four rows at a time: four sums do not wait for each other, and x is loaded once. */
    private static void four(
            MemorySegment w,
            long wAt,
            int inputs,
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt) {
        long row = 4L * inputs;
        int bound = F32.loopBound(inputs);
        FloatVector sums0 = FloatVector.zero(F32);
        FloatVector sums1 = FloatVector.zero(F32);
        FloatVector sums2 = FloatVector.zero(F32);
        FloatVector sums3 = FloatVector.zero(F32);
        for (int i = 0; i < bound; i += COUNT) {
            long at = wAt + 4L * i;
            FloatVector a = fromMemorySegment(F32, x, xAt + 4L * i, ORDER);
            sums0 = a.fma(fromMemorySegment(F32, w, at, ORDER), sums0);
            sums1 = a.fma(fromMemorySegment(F32, w, at + row, ORDER), sums1);
            sums2 = a.fma(fromMemorySegment(F32, w, at + 2 * row, ORDER), sums2);
            sums3 = a.fma(fromMemorySegment(F32, w, at + 3 * row, ORDER), sums3);
        }
        rest(w, wAt, bound, inputs, x, xAt, VectorMath.sum(sums0), y, yAt);
        rest(w, wAt + row, bound, inputs, x, xAt, VectorMath.sum(sums1), y, yAt + 4);
        rest(w, wAt + 2 * row, bound, inputs, x, xAt, VectorMath.sum(sums2), y, yAt + 8);
        rest(w, wAt + 3 * row, bound, inputs, x, xAt, VectorMath.sum(sums3), y, yAt + 12);
    }

    private static void one(
            MemorySegment w,
            long wAt,
            int inputs,
            MemorySegment x,
            long xAt,
            MemorySegment y,
            long yAt) {
        int bound = F32.loopBound(inputs);
        FloatVector sums = FloatVector.zero(F32);
        for (int i = 0; i < bound; i += COUNT) {
            FloatVector a = fromMemorySegment(F32, x, xAt + 4L * i, ORDER);
            sums = a.fma(fromMemorySegment(F32, w, wAt + 4L * i, ORDER), sums);
        }
        rest(w, wAt, bound, inputs, x, xAt, VectorMath.sum(sums), y, yAt);
    }

    private static void rest(
            MemorySegment w,
            long wAt,
            int from,
            int inputs,
            MemorySegment x,
            long xAt,
            float begun,
            MemorySegment y,
            long yAt) {
        float sum = begun;
        for (int i = from; i < inputs; i++) {
            sum = Math.fma(x.get(FLOAT, xAt + 4L * i), w.get(FLOAT, wAt + 4L * i), sum);
        }
        y.set(FLOAT, yAt, sum);
    }

    /** The scalar twin, on x as an array. */
    static void runScalar(MemorySegment w, long wAt, int outputs, float[] x, float[] y) {
        for (int o = 0; o < outputs; o++) {
            float[] row = Floats.read(w, wAt + 4L * o * x.length, x.length);
            y[o] = dot(row, x);
        }
    }

    private static float dot(float[] row, float[] x) {
        int bound = x.length / COUNT * COUNT;
        float[] sums = new float[COUNT];
        for (int i = 0; i < bound; i += COUNT) {
            for (int lane = 0; lane < COUNT; lane++) {
                sums[lane] = Math.fma(x[i + lane], row[i + lane], sums[lane]);
            }
        }
        float sum = ScalarSums.ofLanes(sums);
        for (int i = bound; i < x.length; i++) {
            sum = Math.fma(x[i], row[i], sum);
        }
        return sum;
    }
}

package io.cyclane.cpu.attention;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.I32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.attention.AttentionTile.CHUNK;
import static io.cyclane.cpu.attention.AttentionTile.FLOAT;
import static io.cyclane.cpu.attention.AttentionTile.KEYS;
import static io.cyclane.cpu.attention.AttentionTile.KEY_ROW;
import static io.cyclane.cpu.attention.AttentionTile.ROW;
import static io.cyclane.cpu.attention.AttentionTile.VECTOR;
import static java.lang.invoke.VarHandle.acquireFence;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;
import static jdk.incubator.vector.IntVector.broadcast;

import io.cyclane.cpu.gemm.TileLast;
import io.cyclane.tensor.memory.Window;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * The products of {@link AttentionTile} where there are 16 vector registers: six rows by two
 * vectors of sums, two terms at a time, and a fence behind each row, for the reason that {@code
 * io.cyclane.cpu.gemm.Tiles} gives; 1.04 to 1.12 of the speed of four rows held back by stores (Zen
 * 3, JDK 25.0.3).
 *
 * <p>What a row multiplies is loaded as an integer: C2 makes one instruction of it. As a float,
 * with fences between, it makes three of most, by way of a general register (0.5 of the speed).
 * Fences also want a {@link Window}: whether a slice's memory is still open is asked anew behind
 * each.
 */
final class AttentionTileFew {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private AttentionTileFew() {}

    /**
     * {@return whether {@code left} queries want six rows next; seven and eight want twice four}
     */
    private static boolean six(int left) {
        return left > 4 && left != 7 && left != 8;
    }

    /** Scores of the keys, six at a time, see {@link AttentionTile#scores}. */
    static void scores(MemorySegment s, long keys, long queries, long to, int width, int n) {
        boolean odd = (width & 1) != 0;
        for (int j = 0; j < n; j += 6) {
            long keyAt = keys + j * KEY_ROW;
            long toAt = to + j * ROW;
            scores6x2(s, keyAt, queries, toAt, width);
            if (odd) {
                int last = width - 1;
                TileLast.run(6, s, keyAt + 4L * last, KEY_ROW, s, queries + last * ROW, toAt, ROW);
            }
        }
    }

    /** The weighed values, of six queries or four at a time, see {@link AttentionTile#values}. */
    static void values(MemorySegment s, long weights, long values, long to, int n, int queries) {
        for (int q = 0; q < queries; ) {
            int rows = six(queries - q) ? 6 : 4;
            long weightAt = weights + 4L * q;
            long toAt = to + q * ROW;
            if (rows == 6) {
                values6x2(s, weightAt, values, toAt, n);
                if ((n & 1) != 0) {
                    long last = (n - 1) * ROW;
                    TileLast.run(6, s, weightAt + last, 4, s, values + last, toAt, ROW);
                }
            } else {
                values4x2(s, weightAt, values, toAt, n);
            }
            q += rows;
        }
    }

    private static void scores6x2(
            MemorySegment s, long keysAt, long queriesAt, long toAt, int width) {
        MemorySegment keys = Window.of(s, keysAt, 6 * KEY_ROW);
        MemorySegment queries = Window.of(s, queriesAt, CHUNK * ROW);
        MemorySegment to = Window.of(s, toAt, 6 * ROW);
        int pairs = Math.min(width, CHUNK) >> 1;
        FloatVector a0 = zero(F32);
        FloatVector b0 = zero(F32);
        FloatVector a1 = zero(F32);
        FloatVector b1 = zero(F32);
        FloatVector a2 = zero(F32);
        FloatVector b2 = zero(F32);
        FloatVector a3 = zero(F32);
        FloatVector b3 = zero(F32);
        FloatVector a4 = zero(F32);
        FloatVector b4 = zero(F32);
        FloatVector a5 = zero(F32);
        FloatVector b5 = zero(F32);
        for (int pair = 0; pair < pairs; pair++) {
            long at = pair * (2 * ROW);
            long x = 8L * pair;
            FloatVector a = fromMemorySegment(F32, queries, at, ORDER);
            FloatVector b = fromMemorySegment(F32, queries, at + VECTOR, ORDER);
            FloatVector x0 = broadcast(I32, keys.get(INT, x)).reinterpretAsFloats();
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            acquireFence();
            FloatVector x1 = broadcast(I32, keys.get(INT, x + 1 * KEY_ROW)).reinterpretAsFloats();
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            acquireFence();
            FloatVector x2 = broadcast(I32, keys.get(INT, x + 2 * KEY_ROW)).reinterpretAsFloats();
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            acquireFence();
            FloatVector x3 = broadcast(I32, keys.get(INT, x + 3 * KEY_ROW)).reinterpretAsFloats();
            a3 = x3.fma(a, a3);
            b3 = x3.fma(b, b3);
            acquireFence();
            FloatVector x4 = broadcast(I32, keys.get(INT, x + 4 * KEY_ROW)).reinterpretAsFloats();
            a4 = x4.fma(a, a4);
            b4 = x4.fma(b, b4);
            acquireFence();
            FloatVector x5 = broadcast(I32, keys.get(INT, x + 5 * KEY_ROW)).reinterpretAsFloats();
            a5 = x5.fma(a, a5);
            b5 = x5.fma(b, b5);
            acquireFence();

            FloatVector c = fromMemorySegment(F32, queries, at + ROW, ORDER);
            FloatVector d = fromMemorySegment(F32, queries, at + ROW + VECTOR, ORDER);
            FloatVector y0 = broadcast(I32, keys.get(INT, x + 4)).reinterpretAsFloats();
            a0 = y0.fma(c, a0);
            b0 = y0.fma(d, b0);
            acquireFence();
            FloatVector y1 =
                    broadcast(I32, keys.get(INT, x + 4 + 1 * KEY_ROW)).reinterpretAsFloats();
            a1 = y1.fma(c, a1);
            b1 = y1.fma(d, b1);
            acquireFence();
            FloatVector y2 =
                    broadcast(I32, keys.get(INT, x + 4 + 2 * KEY_ROW)).reinterpretAsFloats();
            a2 = y2.fma(c, a2);
            b2 = y2.fma(d, b2);
            acquireFence();
            FloatVector y3 =
                    broadcast(I32, keys.get(INT, x + 4 + 3 * KEY_ROW)).reinterpretAsFloats();
            a3 = y3.fma(c, a3);
            b3 = y3.fma(d, b3);
            acquireFence();
            FloatVector y4 =
                    broadcast(I32, keys.get(INT, x + 4 + 4 * KEY_ROW)).reinterpretAsFloats();
            a4 = y4.fma(c, a4);
            b4 = y4.fma(d, b4);
            acquireFence();
            FloatVector y5 =
                    broadcast(I32, keys.get(INT, x + 4 + 5 * KEY_ROW)).reinterpretAsFloats();
            a5 = y5.fma(c, a5);
            b5 = y5.fma(d, b5);
            acquireFence();
        }
        a0.intoMemorySegment(to, 0, ORDER);
        b0.intoMemorySegment(to, VECTOR, ORDER);
        a1.intoMemorySegment(to, 1 * ROW, ORDER);
        b1.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
        a2.intoMemorySegment(to, 2 * ROW, ORDER);
        b2.intoMemorySegment(to, 2 * ROW + VECTOR, ORDER);
        a3.intoMemorySegment(to, 3 * ROW, ORDER);
        b3.intoMemorySegment(to, 3 * ROW + VECTOR, ORDER);
        a4.intoMemorySegment(to, 4 * ROW, ORDER);
        b4.intoMemorySegment(to, 4 * ROW + VECTOR, ORDER);
        a5.intoMemorySegment(to, 5 * ROW, ORDER);
        b5.intoMemorySegment(to, 5 * ROW + VECTOR, ORDER);
    }

    private static void values6x2(
            MemorySegment s, long weightsAt, long valuesAt, long toAt, int n) {
        MemorySegment weights = Window.of(s, weightsAt, (KEYS - 1) * ROW + 24);
        MemorySegment values = Window.of(s, valuesAt, KEYS * ROW);
        MemorySegment to = Window.of(s, toAt, 6 * ROW);
        int pairs = Math.min(n, KEYS) >> 1;
        FloatVector a0 = zero(F32);
        FloatVector b0 = zero(F32);
        FloatVector a1 = zero(F32);
        FloatVector b1 = zero(F32);
        FloatVector a2 = zero(F32);
        FloatVector b2 = zero(F32);
        FloatVector a3 = zero(F32);
        FloatVector b3 = zero(F32);
        FloatVector a4 = zero(F32);
        FloatVector b4 = zero(F32);
        FloatVector a5 = zero(F32);
        FloatVector b5 = zero(F32);
        for (int pair = 0; pair < pairs; pair++) {
            long at = pair * (2 * ROW);
            FloatVector a = fromMemorySegment(F32, values, at, ORDER);
            FloatVector b = fromMemorySegment(F32, values, at + VECTOR, ORDER);
            FloatVector x0 = broadcast(I32, weights.get(INT, at)).reinterpretAsFloats();
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            acquireFence();
            FloatVector x1 = broadcast(I32, weights.get(INT, at + 4)).reinterpretAsFloats();
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            acquireFence();
            FloatVector x2 = broadcast(I32, weights.get(INT, at + 8)).reinterpretAsFloats();
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            acquireFence();
            FloatVector x3 = broadcast(I32, weights.get(INT, at + 12)).reinterpretAsFloats();
            a3 = x3.fma(a, a3);
            b3 = x3.fma(b, b3);
            acquireFence();
            FloatVector x4 = broadcast(I32, weights.get(INT, at + 16)).reinterpretAsFloats();
            a4 = x4.fma(a, a4);
            b4 = x4.fma(b, b4);
            acquireFence();
            FloatVector x5 = broadcast(I32, weights.get(INT, at + 20)).reinterpretAsFloats();
            a5 = x5.fma(a, a5);
            b5 = x5.fma(b, b5);
            acquireFence();

            FloatVector c = fromMemorySegment(F32, values, at + ROW, ORDER);
            FloatVector d = fromMemorySegment(F32, values, at + ROW + VECTOR, ORDER);
            FloatVector y0 = broadcast(I32, weights.get(INT, at + ROW)).reinterpretAsFloats();
            a0 = y0.fma(c, a0);
            b0 = y0.fma(d, b0);
            acquireFence();
            FloatVector y1 = broadcast(I32, weights.get(INT, at + ROW + 4)).reinterpretAsFloats();
            a1 = y1.fma(c, a1);
            b1 = y1.fma(d, b1);
            acquireFence();
            FloatVector y2 = broadcast(I32, weights.get(INT, at + ROW + 8)).reinterpretAsFloats();
            a2 = y2.fma(c, a2);
            b2 = y2.fma(d, b2);
            acquireFence();
            FloatVector y3 = broadcast(I32, weights.get(INT, at + ROW + 12)).reinterpretAsFloats();
            a3 = y3.fma(c, a3);
            b3 = y3.fma(d, b3);
            acquireFence();
            FloatVector y4 = broadcast(I32, weights.get(INT, at + ROW + 16)).reinterpretAsFloats();
            a4 = y4.fma(c, a4);
            b4 = y4.fma(d, b4);
            acquireFence();
            FloatVector y5 = broadcast(I32, weights.get(INT, at + ROW + 20)).reinterpretAsFloats();
            a5 = y5.fma(c, a5);
            b5 = y5.fma(d, b5);
            acquireFence();
        }
        a0.intoMemorySegment(to, 0, ORDER);
        b0.intoMemorySegment(to, VECTOR, ORDER);
        a1.intoMemorySegment(to, 1 * ROW, ORDER);
        b1.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
        a2.intoMemorySegment(to, 2 * ROW, ORDER);
        b2.intoMemorySegment(to, 2 * ROW + VECTOR, ORDER);
        a3.intoMemorySegment(to, 3 * ROW, ORDER);
        b3.intoMemorySegment(to, 3 * ROW + VECTOR, ORDER);
        a4.intoMemorySegment(to, 4 * ROW, ORDER);
        b4.intoMemorySegment(to, 4 * ROW + VECTOR, ORDER);
        a5.intoMemorySegment(to, 5 * ROW, ORDER);
        b5.intoMemorySegment(to, 5 * ROW + VECTOR, ORDER);
    }

    /** Four rows, for what six leave: held back by a store, which C2 unrolls. */
    private static void values4x2(
            MemorySegment s, long weightsAt, long valuesAt, long toAt, int n) {
        MemorySegment weights = s.asSlice(weightsAt, (KEYS - 1) * ROW + 16, 1);
        MemorySegment values = s.asSlice(valuesAt, KEYS * ROW, 1);
        MemorySegment to = s.asSlice(toAt, 4 * ROW, 1);
        int count = Math.min(n, KEYS);
        FloatVector a0 = zero(F32);
        FloatVector b0 = zero(F32);
        FloatVector a1 = zero(F32);
        FloatVector b1 = zero(F32);
        FloatVector a2 = zero(F32);
        FloatVector b2 = zero(F32);
        FloatVector a3 = zero(F32);
        FloatVector b3 = zero(F32);
        for (int i = 0; i < count; i++) {
            long at = i * ROW;
            FloatVector a = fromMemorySegment(F32, values, at, ORDER);
            FloatVector b = fromMemorySegment(F32, values, at + VECTOR, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 0));
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            FloatVector x1 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 4));
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            b1.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
            FloatVector x2 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 8));
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            FloatVector x3 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 12));
            a3 = x3.fma(a, a3);
            b3 = x3.fma(b, b3);
        }
        a0.intoMemorySegment(to, 0 * ROW, ORDER);
        b0.intoMemorySegment(to, 0 * ROW + VECTOR, ORDER);
        a1.intoMemorySegment(to, 1 * ROW, ORDER);
        b1.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
        a2.intoMemorySegment(to, 2 * ROW, ORDER);
        b2.intoMemorySegment(to, 2 * ROW + VECTOR, ORDER);
        a3.intoMemorySegment(to, 3 * ROW, ORDER);
        b3.intoMemorySegment(to, 3 * ROW + VECTOR, ORDER);
    }
}

package io.cyclane.cpu.attention;

import static io.cyclane.cpu.Lanes.F32;
import static io.cyclane.cpu.Lanes.ORDER;
import static io.cyclane.cpu.attention.AttentionTile.CHUNK;
import static io.cyclane.cpu.attention.AttentionTile.FLOAT;
import static io.cyclane.cpu.attention.AttentionTile.KEYS;
import static io.cyclane.cpu.attention.AttentionTile.KEY_ROW;
import static io.cyclane.cpu.attention.AttentionTile.ROW;
import static io.cyclane.cpu.attention.AttentionTile.VECTOR;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.zero;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The products of {@link AttentionTile} where there are 16 vector registers: four rows by two
 * vectors of sums. Half way each stores a sum, where the result will lie, for the reason that
 * {@code io.cyclane.cpu.gemm.Tiles} gives.
 */
final class AttentionTileFew {
    /** Rows of a product. */
    static final int ROWS = 4;

    private AttentionTileFew() {}

    /** Scores of four keys, see {@link AttentionTile#scores}. */
    static void scores4x2(MemorySegment s, long keysAt, long queriesAt, long toAt, int width) {
        MemorySegment keys = s.asSlice(keysAt, ROWS * KEY_ROW, 1);
        MemorySegment queries = s.asSlice(queriesAt, CHUNK * ROW, 1);
        MemorySegment to = s.asSlice(toAt, ROWS * ROW, 1);
        int count = Math.min(width, CHUNK);
        FloatVector a0 = zero(F32);
        FloatVector b0 = zero(F32);
        FloatVector a1 = zero(F32);
        FloatVector b1 = zero(F32);
        FloatVector a2 = zero(F32);
        FloatVector b2 = zero(F32);
        FloatVector a3 = zero(F32);
        FloatVector b3 = zero(F32);
        for (int i = 0; i < count; i++) {
            long k = 4L * i;
            FloatVector a = fromMemorySegment(F32, queries, i * ROW, ORDER);
            FloatVector b = fromMemorySegment(F32, queries, i * ROW + VECTOR, ORDER);
            FloatVector x0 = broadcast(F32, keys.get(FLOAT, k + 0 * KEY_ROW));
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            FloatVector x1 = broadcast(F32, keys.get(FLOAT, k + 1 * KEY_ROW));
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            b1.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
            FloatVector x2 = broadcast(F32, keys.get(FLOAT, k + 2 * KEY_ROW));
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            FloatVector x3 = broadcast(F32, keys.get(FLOAT, k + 3 * KEY_ROW));
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

    /** The weighed values of four queries, see {@link AttentionTile#values}. */
    static void values4x2(MemorySegment s, long weightsAt, long valuesAt, long toAt, int n) {
        MemorySegment weights = s.asSlice(weightsAt, (KEYS - 1) * ROW + 4L * ROWS, 1);
        MemorySegment values = s.asSlice(valuesAt, KEYS * ROW, 1);
        MemorySegment to = s.asSlice(toAt, ROWS * ROW, 1);
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
            FloatVector x0 = broadcast(F32, weights.get(FLOAT, at + 0));
            a0 = x0.fma(a, a0);
            b0 = x0.fma(b, b0);
            FloatVector x1 = broadcast(F32, weights.get(FLOAT, at + 4));
            a1 = x1.fma(a, a1);
            b1 = x1.fma(b, b1);
            b1.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
            FloatVector x2 = broadcast(F32, weights.get(FLOAT, at + 8));
            a2 = x2.fma(a, a2);
            b2 = x2.fma(b, b2);
            FloatVector x3 = broadcast(F32, weights.get(FLOAT, at + 12));
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

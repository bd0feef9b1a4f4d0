package io.cyclane.cpu.attention;

import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.math.VectorMath;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of attention, on one tile: the keys of a block against two vectors of queries.
 *
 * <p>Everything lies in a worker's scratch. Queries are transposed, so that a lane is a query: its
 * scores stand one below the other, and the softmax walks down the keys without ever summing across
 * lanes. A product keeps eight rows by two vectors of sums in registers, or six where there are 16
 * of them ({@link AttentionTileFew}); each adds up its terms in order, whatever the tile around it.
 *
 * <p>Products work on slices of constant size, larger than what they touch where need be, and bound
 * their counts by what is true anyway: then C2 drops every bounds check ({@link
 * io.cyclane.cpu.gemm} has the figures).
 */
final class AttentionTile {
    /** Keys or queries that a product takes at once. */
    static final int ROWS = 8;

    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** Queries of a tile. */
    static final int QUERIES = 2 * F32.length();

    /** Keys of a block. */
    static final int KEYS = 64;

    /** Columns of keys that a product takes at once. */
    static final int CHUNK = 128;

    /** Bytes from one key to the next, an odd number of cache lines. */
    static final long KEY_ROW = 4L * (CHUNK + 16);

    /** Bytes of a vector, and of a row of the tile. */
    static final long VECTOR = 4L * F32.length();

    static final long ROW = 2 * VECTOR;

    /** Less than any score, and finite, so that it can be subtracted from itself. */
    static final float LOWEST = -Float.MAX_VALUE;

    private AttentionTile() {}

    /**
     * Scores of {@code n} keys: {@code to[j][lane] = sum over i of keys[j][i] * queries[i][lane]}.
     *
     * @param keys rows of at most {@link #CHUNK} elements, {@link #KEY_ROW} apart; up to seven rows
     *     after the last are read too, and their scores written
     * @param queries [width, QUERIES]
     * @param vectors how many of the two vectors of queries are in use
     */
    static void scores(
            MemorySegment s, long keys, long queries, long to, int width, int n, int vectors) {
        if (vectors == 2 && Lanes.FEW_REGISTERS) {
            AttentionTileFew.scores(s, keys, queries, to, width, n);
            return;
        }
        for (int j = 0; j < n; j += ROWS) {
            if (vectors == 2) {
                scores8x2(s, keys + j * KEY_ROW, queries, to + j * ROW, width);
            } else {
                scores8x1(s, keys + j * KEY_ROW, queries, to + j * ROW, width);
            }
        }
    }

    /** Adds the scores of further columns, for n keys and both vectors of queries. */
    static void add(MemorySegment s, long more, long to, int n) {
        for (int i = 0; i < 2 * n; i++) {
            long at = to + i * VECTOR;
            FloatVector.fromMemorySegment(F32, s, at, ORDER)
                    .add(FloatVector.fromMemorySegment(F32, s, more + i * VECTOR, ORDER))
                    .intoMemorySegment(s, at, ORDER);
        }
    }

    private static void scores8x2(
            MemorySegment s, long keysAt, long queriesAt, long toAt, int width) {
        MemorySegment keys = s.asSlice(keysAt, ROWS * KEY_ROW, 1);
        MemorySegment queries = s.asSlice(queriesAt, CHUNK * ROW, 1);
        MemorySegment to = s.asSlice(toAt, ROWS * ROW, 1);
        int count = Math.min(width, CHUNK);
        FloatVector c00 = FloatVector.zero(F32);
        FloatVector c01 = FloatVector.zero(F32);
        FloatVector c10 = FloatVector.zero(F32);
        FloatVector c11 = FloatVector.zero(F32);
        FloatVector c20 = FloatVector.zero(F32);
        FloatVector c21 = FloatVector.zero(F32);
        FloatVector c30 = FloatVector.zero(F32);
        FloatVector c31 = FloatVector.zero(F32);
        FloatVector c40 = FloatVector.zero(F32);
        FloatVector c41 = FloatVector.zero(F32);
        FloatVector c50 = FloatVector.zero(F32);
        FloatVector c51 = FloatVector.zero(F32);
        FloatVector c60 = FloatVector.zero(F32);
        FloatVector c61 = FloatVector.zero(F32);
        FloatVector c70 = FloatVector.zero(F32);
        FloatVector c71 = FloatVector.zero(F32);
        for (int i = 0; i < count; i++) {
            long q = i * ROW;
            long k = 4L * i;
            FloatVector q0 = FloatVector.fromMemorySegment(F32, queries, q, ORDER);
            FloatVector q1 = FloatVector.fromMemorySegment(F32, queries, q + VECTOR, ORDER);
            FloatVector k0 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 0 * KEY_ROW));
            c00 = k0.fma(q0, c00);
            c01 = k0.fma(q1, c01);
            FloatVector k1 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 1 * KEY_ROW));
            c10 = k1.fma(q0, c10);
            c11 = k1.fma(q1, c11);
            FloatVector k2 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 2 * KEY_ROW));
            c20 = k2.fma(q0, c20);
            c21 = k2.fma(q1, c21);
            FloatVector k3 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 3 * KEY_ROW));
            c30 = k3.fma(q0, c30);
            c31 = k3.fma(q1, c31);
            FloatVector k4 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 4 * KEY_ROW));
            c40 = k4.fma(q0, c40);
            c41 = k4.fma(q1, c41);
            FloatVector k5 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 5 * KEY_ROW));
            c50 = k5.fma(q0, c50);
            c51 = k5.fma(q1, c51);
            FloatVector k6 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 6 * KEY_ROW));
            c60 = k6.fma(q0, c60);
            c61 = k6.fma(q1, c61);
            FloatVector k7 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 7 * KEY_ROW));
            c70 = k7.fma(q0, c70);
            c71 = k7.fma(q1, c71);
        }
        c00.intoMemorySegment(to, 0 * ROW, ORDER);
        c01.intoMemorySegment(to, 0 * ROW + VECTOR, ORDER);
        c10.intoMemorySegment(to, 1 * ROW, ORDER);
        c11.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
        c20.intoMemorySegment(to, 2 * ROW, ORDER);
        c21.intoMemorySegment(to, 2 * ROW + VECTOR, ORDER);
        c30.intoMemorySegment(to, 3 * ROW, ORDER);
        c31.intoMemorySegment(to, 3 * ROW + VECTOR, ORDER);
        c40.intoMemorySegment(to, 4 * ROW, ORDER);
        c41.intoMemorySegment(to, 4 * ROW + VECTOR, ORDER);
        c50.intoMemorySegment(to, 5 * ROW, ORDER);
        c51.intoMemorySegment(to, 5 * ROW + VECTOR, ORDER);
        c60.intoMemorySegment(to, 6 * ROW, ORDER);
        c61.intoMemorySegment(to, 6 * ROW + VECTOR, ORDER);
        c70.intoMemorySegment(to, 7 * ROW, ORDER);
        c71.intoMemorySegment(to, 7 * ROW + VECTOR, ORDER);
    }

    private static void scores8x1(
            MemorySegment s, long keysAt, long queriesAt, long toAt, int width) {
        MemorySegment keys = s.asSlice(keysAt, ROWS * KEY_ROW, 1);
        MemorySegment queries = s.asSlice(queriesAt, CHUNK * ROW, 1);
        MemorySegment to = s.asSlice(toAt, ROWS * ROW, 1);
        int count = Math.min(width, CHUNK);
        FloatVector c00 = FloatVector.zero(F32);
        FloatVector c10 = FloatVector.zero(F32);
        FloatVector c20 = FloatVector.zero(F32);
        FloatVector c30 = FloatVector.zero(F32);
        FloatVector c40 = FloatVector.zero(F32);
        FloatVector c50 = FloatVector.zero(F32);
        FloatVector c60 = FloatVector.zero(F32);
        FloatVector c70 = FloatVector.zero(F32);
        for (int i = 0; i < count; i++) {
            long q = i * ROW;
            long k = 4L * i;
            FloatVector q0 = FloatVector.fromMemorySegment(F32, queries, q, ORDER);
            FloatVector k0 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 0 * KEY_ROW));
            c00 = k0.fma(q0, c00);
            FloatVector k1 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 1 * KEY_ROW));
            c10 = k1.fma(q0, c10);
            FloatVector k2 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 2 * KEY_ROW));
            c20 = k2.fma(q0, c20);
            FloatVector k3 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 3 * KEY_ROW));
            c30 = k3.fma(q0, c30);
            FloatVector k4 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 4 * KEY_ROW));
            c40 = k4.fma(q0, c40);
            FloatVector k5 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 5 * KEY_ROW));
            c50 = k5.fma(q0, c50);
            FloatVector k6 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 6 * KEY_ROW));
            c60 = k6.fma(q0, c60);
            FloatVector k7 = FloatVector.broadcast(F32, keys.get(FLOAT, k + 7 * KEY_ROW));
            c70 = k7.fma(q0, c70);
        }
        c00.intoMemorySegment(to, 0 * ROW, ORDER);
        c10.intoMemorySegment(to, 1 * ROW, ORDER);
        c20.intoMemorySegment(to, 2 * ROW, ORDER);
        c30.intoMemorySegment(to, 3 * ROW, ORDER);
        c40.intoMemorySegment(to, 4 * ROW, ORDER);
        c50.intoMemorySegment(to, 5 * ROW, ORDER);
        c60.intoMemorySegment(to, 6 * ROW, ORDER);
        c70.intoMemorySegment(to, 7 * ROW, ORDER);
    }

    /**
     * Takes the scores out of a vector's reach that lie beyond the window: lane i of row j keeps
     * its score if {@code |distance + i - j| <= window}.
     */
    static void mask(MemorySegment s, long scores, int n, int distance, int window) {
        MemorySegment rows = s.asSlice(scores, KEYS * ROW, 1);
        int count = Math.min(n, KEYS);
        for (int j = 0; j < count; j++) {
            VectorMask<Float> beyond =
                    Numbered.LANES.add(distance - j).abs().compare(VectorOperators.GT, window);
            FloatVector.fromMemorySegment(F32, rows, j * ROW, ORDER)
                    .blend(Float.NEGATIVE_INFINITY, beyond)
                    .intoMemorySegment(rows, j * ROW, ORDER);
        }
    }

    /** Apart, so that who only runs the scalar twin waits for no vector. */
    private static final class Numbered {
        static final FloatVector LANES = FloatVector.zero(F32).addIndex(1);
    }

    /**
     * One step of the running softmax for a vector of queries: turns {@code n} scores of base 2
     * into weights, raises the maxima, and brings the sums to the new maxima.
     *
     * @param factors where to write what all that was weighed before is to be multiplied by
     */
    static void softmax(MemorySegment s, long scores, int n, long maxima, long sums, long factors) {
        raise(s, scores, n, maxima, factors);
        weigh(s, scores, n, maxima, sums, factors);
    }

    private static void raise(MemorySegment s, long scores, int n, long maxima, long factors) {
        MemorySegment rows = s.asSlice(scores, KEYS * ROW, 1);
        int count = Math.min(n, KEYS);
        FloatVector old = FloatVector.fromMemorySegment(F32, s, maxima, ORDER);
        FloatVector even = old;
        FloatVector odd = old;
        int j = 0;
        for (; j < count - 1; j += 2) {
            FloatVector a = FloatVector.fromMemorySegment(F32, rows, j * ROW, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, rows, j * ROW + ROW, ORDER);
            even = even.blend(a, a.compare(VectorOperators.GT, even));
            odd = odd.blend(b, b.compare(VectorOperators.GT, odd));
        }
        for (; j < count; j++) {
            FloatVector a = FloatVector.fromMemorySegment(F32, rows, j * ROW, ORDER);
            even = even.blend(a, a.compare(VectorOperators.GT, even));
        }
        FloatVector high = even.blend(odd, odd.compare(VectorOperators.GT, even));
        high.intoMemorySegment(s, maxima, ORDER);
        VectorMath.exp2Flushed(old.sub(high)).intoMemorySegment(s, factors, ORDER);
    }

    private static void weigh(
            MemorySegment s, long scores, int n, long maxima, long sums, long factors) {
        MemorySegment rows = s.asSlice(scores, KEYS * ROW, 1);
        int count = Math.min(n, KEYS);
        FloatVector high = FloatVector.fromMemorySegment(F32, s, maxima, ORDER);
        FloatVector factor = FloatVector.fromMemorySegment(F32, s, factors, ORDER);
        FloatVector sum = FloatVector.fromMemorySegment(F32, s, sums, ORDER).mul(factor);
        for (int j = 0; j < count; j++) {
            FloatVector score = FloatVector.fromMemorySegment(F32, rows, j * ROW, ORDER);
            FloatVector weight = VectorMath.exp2Flushed(score.sub(high));
            weight.intoMemorySegment(rows, j * ROW, ORDER);
            sum = sum.add(weight);
        }
        sum.intoMemorySegment(s, sums, ORDER);
    }

    /**
     * The weighed values of a block: {@code to[q] = sum over j of weights[j][q] * values[j]}, for
     * two vectors of columns.
     *
     * @param values [n, QUERIES], a panel of as many columns, with {@link #KEYS} rows of memory
     * @param to [QUERIES, QUERIES], of which {@code queries} rows and up to seven more are written
     */
    static void values(MemorySegment s, long weights, long values, long to, int n, int queries) {
        if (Lanes.FEW_REGISTERS) {
            AttentionTileFew.values(s, weights, values, to, n, queries);
            return;
        }
        for (int q = 0; q < queries; q += ROWS) {
            values8x2(s, weights + 4L * q, values, to + q * ROW, n);
        }
    }

    private static void values8x2(
            MemorySegment s, long weightsAt, long valuesAt, long toAt, int n) {
        MemorySegment weights = s.asSlice(weightsAt, KEYS * ROW, 1);
        MemorySegment values = s.asSlice(valuesAt, KEYS * ROW, 1);
        MemorySegment to = s.asSlice(toAt, ROWS * ROW, 1);
        int count = Math.min(n, KEYS);
        FloatVector c00 = FloatVector.zero(F32);
        FloatVector c01 = FloatVector.zero(F32);
        FloatVector c10 = FloatVector.zero(F32);
        FloatVector c11 = FloatVector.zero(F32);
        FloatVector c20 = FloatVector.zero(F32);
        FloatVector c21 = FloatVector.zero(F32);
        FloatVector c30 = FloatVector.zero(F32);
        FloatVector c31 = FloatVector.zero(F32);
        FloatVector c40 = FloatVector.zero(F32);
        FloatVector c41 = FloatVector.zero(F32);
        FloatVector c50 = FloatVector.zero(F32);
        FloatVector c51 = FloatVector.zero(F32);
        FloatVector c60 = FloatVector.zero(F32);
        FloatVector c61 = FloatVector.zero(F32);
        FloatVector c70 = FloatVector.zero(F32);
        FloatVector c71 = FloatVector.zero(F32);
        for (int i = 0; i < count; i++) {
            long at = i * ROW;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, values, at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, values, at + VECTOR, ORDER);
            FloatVector w0 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 0));
            c00 = w0.fma(v0, c00);
            c01 = w0.fma(v1, c01);
            FloatVector w1 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 4));
            c10 = w1.fma(v0, c10);
            c11 = w1.fma(v1, c11);
            FloatVector w2 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 8));
            c20 = w2.fma(v0, c20);
            c21 = w2.fma(v1, c21);
            FloatVector w3 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 12));
            c30 = w3.fma(v0, c30);
            c31 = w3.fma(v1, c31);
            FloatVector w4 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 16));
            c40 = w4.fma(v0, c40);
            c41 = w4.fma(v1, c41);
            FloatVector w5 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 20));
            c50 = w5.fma(v0, c50);
            c51 = w5.fma(v1, c51);
            FloatVector w6 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 24));
            c60 = w6.fma(v0, c60);
            c61 = w6.fma(v1, c61);
            FloatVector w7 = FloatVector.broadcast(F32, weights.get(FLOAT, at + 28));
            c70 = w7.fma(v0, c70);
            c71 = w7.fma(v1, c71);
        }
        c00.intoMemorySegment(to, 0 * ROW, ORDER);
        c01.intoMemorySegment(to, 0 * ROW + VECTOR, ORDER);
        c10.intoMemorySegment(to, 1 * ROW, ORDER);
        c11.intoMemorySegment(to, 1 * ROW + VECTOR, ORDER);
        c20.intoMemorySegment(to, 2 * ROW, ORDER);
        c21.intoMemorySegment(to, 2 * ROW + VECTOR, ORDER);
        c30.intoMemorySegment(to, 3 * ROW, ORDER);
        c31.intoMemorySegment(to, 3 * ROW + VECTOR, ORDER);
        c40.intoMemorySegment(to, 4 * ROW, ORDER);
        c41.intoMemorySegment(to, 4 * ROW + VECTOR, ORDER);
        c50.intoMemorySegment(to, 5 * ROW, ORDER);
        c51.intoMemorySegment(to, 5 * ROW + VECTOR, ORDER);
        c60.intoMemorySegment(to, 6 * ROW, ORDER);
        c61.intoMemorySegment(to, 6 * ROW + VECTOR, ORDER);
        c70.intoMemorySegment(to, 7 * ROW, ORDER);
        c71.intoMemorySegment(to, 7 * ROW + VECTOR, ORDER);
    }

    /**
     * Joins a block's weighed values to those before it: {@code to[q] = to[q] * factors[q] +
     * block[q]}.
     *
     * @param to rows of two vectors, {@code toBytes} apart
     */
    static void join(
            MemorySegment s, long factors, long block, long to, long toBytes, int queries) {
        for (int q = 0; q < queries; q++) {
            MemorySegment from = s.asSlice(block + q * ROW, ROW, 1);
            MemorySegment row = s.asSlice(to + q * toBytes, ROW, 1);
            FloatVector factor = FloatVector.broadcast(F32, s.get(FLOAT, factors + 4L * q));
            FloatVector a =
                    FloatVector.fromMemorySegment(F32, row, 0, ORDER)
                            .fma(factor, FloatVector.fromMemorySegment(F32, from, 0, ORDER));
            FloatVector b =
                    FloatVector.fromMemorySegment(F32, row, VECTOR, ORDER)
                            .fma(factor, FloatVector.fromMemorySegment(F32, from, VECTOR, ORDER));
            a.intoMemorySegment(row, 0, ORDER);
            b.intoMemorySegment(row, VECTOR, ORDER);
        }
    }
}

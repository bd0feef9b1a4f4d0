package io.cyclane.cpu.attention;

import io.cyclane.cpu.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Squares of L vectors turned about their diagonals.
 *
 * <p>In step d (L/2, L/4, .. 1) row i and row i + d exchange the off-diagonal halves of their
 * groups of 2d lanes: log2(L) steps of one shuffle and one blend per vector, where element by
 * element it would be L loads and stores. Two steps at a time keep four rows in registers, so that
 * the widest square passes through memory twice.
 */
final class Transpose {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long VECTOR = AttentionTile.VECTOR;
    private static final long ROW = AttentionTile.ROW;

    private static final int HALF = L / 2;
    private static final int QUARTER = L / 4;

    private static final VectorShuffle<Float> UP_HALF = up(HALF);
    private static final VectorShuffle<Float> DOWN_HALF = down(HALF);
    private static final VectorMask<Float> HIGH_HALF = high(HALF);
    private static final VectorMask<Float> LOW_HALF = HIGH_HALF.not();
    private static final VectorShuffle<Float> UP_QUARTER = up(QUARTER);
    private static final VectorShuffle<Float> DOWN_QUARTER = down(QUARTER);
    private static final VectorMask<Float> HIGH_QUARTER = high(QUARTER);
    private static final VectorMask<Float> LOW_QUARTER = HIGH_QUARTER.not();
    private static final VectorShuffle<Float> UP_2 = up(2);
    private static final VectorShuffle<Float> DOWN_2 = down(2);
    private static final VectorMask<Float> HIGH_2 = high(2);
    private static final VectorMask<Float> LOW_2 = HIGH_2.not();
    private static final VectorShuffle<Float> UP_1 = up(1);
    private static final VectorShuffle<Float> DOWN_1 = down(1);
    private static final VectorMask<Float> HIGH_1 = high(1);
    private static final VectorMask<Float> LOW_1 = HIGH_1.not();

    private Transpose() {}

    /**
     * Turns squares side by side into squares one below the other, times a factor.
     *
     * @param source L rows, {@code sourceBytes} apart; may be {@code target} if there is one square
     * @param target L times as many rows, {@link AttentionTile#ROW} apart
     */
    static void squares(
            MemorySegment from,
            long source,
            long sourceBytes,
            float factor,
            MemorySegment to,
            long target,
            int squares) {
        far(from, source, sourceBytes, factor, to, target, squares);
        if (L == 16) {
            near(to, target, squares);
        } else if (L == 8) {
            next(to, target, squares);
        }
    }

    /** Steps L/2 and L/4. */
    private static void far(
            MemorySegment from,
            long source,
            long sourceBytes,
            float factor,
            MemorySegment to,
            long target,
            int squares) {
        for (int n = 0; n < squares * QUARTER; n++) {
            int square = n / QUARTER;
            int row = n % QUARTER;
            long a = source + square * VECTOR + row * sourceBytes;
            long step = QUARTER * sourceBytes;
            FloatVector r0 = FloatVector.fromMemorySegment(F32, from, a, ORDER).mul(factor);
            FloatVector r1 = FloatVector.fromMemorySegment(F32, from, a + step, ORDER).mul(factor);
            FloatVector r2 =
                    FloatVector.fromMemorySegment(F32, from, a + 2 * step, ORDER).mul(factor);
            FloatVector r3 =
                    FloatVector.fromMemorySegment(F32, from, a + 3 * step, ORDER).mul(factor);
            FloatVector s0 = r0.blend(r2.rearrange(UP_HALF), HIGH_HALF);
            FloatVector s2 = r2.blend(r0.rearrange(DOWN_HALF), LOW_HALF);
            FloatVector s1 = r1.blend(r3.rearrange(UP_HALF), HIGH_HALF);
            FloatVector s3 = r3.blend(r1.rearrange(DOWN_HALF), LOW_HALF);
            FloatVector t0 = s0.blend(s1.rearrange(UP_QUARTER), HIGH_QUARTER);
            FloatVector t1 = s1.blend(s0.rearrange(DOWN_QUARTER), LOW_QUARTER);
            FloatVector t2 = s2.blend(s3.rearrange(UP_QUARTER), HIGH_QUARTER);
            FloatVector t3 = s3.blend(s2.rearrange(DOWN_QUARTER), LOW_QUARTER);
            long distance = QUARTER * ROW;
            MemorySegment rows =
                    to.asSlice(target + (square * L + row) * ROW, 3 * distance + VECTOR, 1);
            t0.intoMemorySegment(rows, 0, ORDER);
            t1.intoMemorySegment(rows, distance, ORDER);
            t2.intoMemorySegment(rows, 2 * distance, ORDER);
            t3.intoMemorySegment(rows, 3 * distance, ORDER);
        }
    }

    /** Steps 2 and 1. */
    private static void near(MemorySegment s, long target, int squares) {
        for (int n = 0; n < squares * QUARTER; n++) {
            MemorySegment rows = s.asSlice(target + n * 4 * ROW, 3 * ROW + VECTOR, 1);
            FloatVector r0 = FloatVector.fromMemorySegment(F32, rows, 0, ORDER);
            FloatVector r1 = FloatVector.fromMemorySegment(F32, rows, ROW, ORDER);
            FloatVector r2 = FloatVector.fromMemorySegment(F32, rows, 2 * ROW, ORDER);
            FloatVector r3 = FloatVector.fromMemorySegment(F32, rows, 3 * ROW, ORDER);
            FloatVector s0 = r0.blend(r2.rearrange(UP_2), HIGH_2);
            FloatVector s2 = r2.blend(r0.rearrange(DOWN_2), LOW_2);
            FloatVector s1 = r1.blend(r3.rearrange(UP_2), HIGH_2);
            FloatVector s3 = r3.blend(r1.rearrange(DOWN_2), LOW_2);
            FloatVector t0 = s0.blend(s1.rearrange(UP_1), HIGH_1);
            FloatVector t1 = s1.blend(s0.rearrange(DOWN_1), LOW_1);
            FloatVector t2 = s2.blend(s3.rearrange(UP_1), HIGH_1);
            FloatVector t3 = s3.blend(s2.rearrange(DOWN_1), LOW_1);
            t0.intoMemorySegment(rows, 0, ORDER);
            t1.intoMemorySegment(rows, ROW, ORDER);
            t2.intoMemorySegment(rows, 2 * ROW, ORDER);
            t3.intoMemorySegment(rows, 3 * ROW, ORDER);
        }
    }

    /** Step 1. */
    private static void next(MemorySegment s, long target, int squares) {
        for (int n = 0; n < squares * HALF; n++) {
            MemorySegment rows = s.asSlice(target + n * 2 * ROW, ROW + VECTOR, 1);
            FloatVector r0 = FloatVector.fromMemorySegment(F32, rows, 0, ORDER);
            FloatVector r1 = FloatVector.fromMemorySegment(F32, rows, ROW, ORDER);
            r0.blend(r1.rearrange(UP_1), HIGH_1).intoMemorySegment(rows, 0, ORDER);
            r1.blend(r0.rearrange(DOWN_1), LOW_1).intoMemorySegment(rows, ROW, ORDER);
        }
    }

    private static VectorShuffle<Float> up(int d) {
        return F32.shuffleFromOp(lane -> (lane - d + L) % L);
    }

    private static VectorShuffle<Float> down(int d) {
        return F32.shuffleFromOp(lane -> (lane + d) % L);
    }

    /** The lanes with bit d set. */
    private static VectorMask<Float> high(int d) {
        boolean[] high = new boolean[L];
        for (int lane = 0; lane < L; lane++) {
            high[lane] = (lane & d) != 0;
        }
        return VectorMask.fromArray(F32, high, 0);
    }
}

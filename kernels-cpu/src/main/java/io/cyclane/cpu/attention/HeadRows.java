package io.cyclane.cpu.attention;

import io.cyclane.cpu.Lanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Moves the rows of a head between the batch, where they lie kilobytes apart, and a worker's
 * scratch.
 *
 * <p>Rows come from beyond the second-level cache as often as not, 130 ns away, so what counts is
 * how many of them a core has asked for at a time, and it looks 500 instructions ahead. A vector
 * that is loaded from one segment and stored to another costs 55 of them: most ask whether the two
 * are still open and how long they are, and after every store C2 asks again. From slices of known
 * size, several loaded before the first is stored, it takes a quarter of the time, hot or cold
 * (Xeon, AVX-512, JDK 25). Four rows with a product each are too many for C2, which then makes ten
 * times the code, so they are two.
 */
final class HeadRows {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final long VECTOR = AttentionTile.VECTOR;
    private static final long ROW = AttentionTile.ROW;

    private HeadRows() {}

    /** Copies rows of two vectors. */
    static void copyPair(
            MemorySegment from,
            long source,
            long sourceBytes,
            MemorySegment to,
            long target,
            long targetBytes,
            int rows) {
        int r = 0;
        for (; r < rows - 3; r += 4) {
            long a = source + r * sourceBytes;
            MemorySegment s0 = from.asSlice(a, ROW, 1);
            MemorySegment s1 = from.asSlice(a + sourceBytes, ROW, 1);
            MemorySegment s2 = from.asSlice(a + 2 * sourceBytes, ROW, 1);
            MemorySegment s3 = from.asSlice(a + 3 * sourceBytes, ROW, 1);
            long b = target + r * targetBytes;
            MemorySegment t0 = to.asSlice(b, ROW, 1);
            MemorySegment t1 = to.asSlice(b + targetBytes, ROW, 1);
            MemorySegment t2 = to.asSlice(b + 2 * targetBytes, ROW, 1);
            MemorySegment t3 = to.asSlice(b + 3 * targetBytes, ROW, 1);
            FloatVector v00 = FloatVector.fromMemorySegment(F32, s0, 0, ORDER);
            FloatVector v01 = FloatVector.fromMemorySegment(F32, s0, VECTOR, ORDER);
            FloatVector v10 = FloatVector.fromMemorySegment(F32, s1, 0, ORDER);
            FloatVector v11 = FloatVector.fromMemorySegment(F32, s1, VECTOR, ORDER);
            FloatVector v20 = FloatVector.fromMemorySegment(F32, s2, 0, ORDER);
            FloatVector v21 = FloatVector.fromMemorySegment(F32, s2, VECTOR, ORDER);
            FloatVector v30 = FloatVector.fromMemorySegment(F32, s3, 0, ORDER);
            FloatVector v31 = FloatVector.fromMemorySegment(F32, s3, VECTOR, ORDER);
            v00.intoMemorySegment(t0, 0, ORDER);
            v01.intoMemorySegment(t0, VECTOR, ORDER);
            v10.intoMemorySegment(t1, 0, ORDER);
            v11.intoMemorySegment(t1, VECTOR, ORDER);
            v20.intoMemorySegment(t2, 0, ORDER);
            v21.intoMemorySegment(t2, VECTOR, ORDER);
            v30.intoMemorySegment(t3, 0, ORDER);
            v31.intoMemorySegment(t3, VECTOR, ORDER);
        }
        copyOne(from, source, sourceBytes, to, target, targetBytes, r, rows);
        long half = VECTOR;
        copyOne(from, source + half, sourceBytes, to, target + half, targetBytes, r, rows);
    }

    /** Copies rows {@code first} to {@code end} of one vector. */
    static void copyOne(
            MemorySegment from,
            long source,
            long sourceBytes,
            MemorySegment to,
            long target,
            long targetBytes,
            int first,
            int end) {
        for (int r = first; r < end; r++) {
            FloatVector.fromMemorySegment(F32, from, source + r * sourceBytes, ORDER)
                    .intoMemorySegment(to, target + r * targetBytes, ORDER);
        }
    }

    /** Writes rows of two vectors, each times its share. */
    static void givePair(
            MemorySegment from,
            long source,
            long sourceBytes,
            long shares,
            MemorySegment to,
            long target,
            long targetBytes,
            int rows) {
        int r = 0;
        for (; r < rows - 1; r += 2) {
            float f0 = from.get(FLOAT, shares + 4L * r);
            float f1 = from.get(FLOAT, shares + 4L * r + 4);
            long a = source + r * sourceBytes;
            MemorySegment s0 = from.asSlice(a, ROW, 1);
            MemorySegment s1 = from.asSlice(a + sourceBytes, ROW, 1);
            long b = target + r * targetBytes;
            MemorySegment t0 = to.asSlice(b, ROW, 1);
            MemorySegment t1 = to.asSlice(b + targetBytes, ROW, 1);
            FloatVector share0 = FloatVector.broadcast(F32, f0);
            FloatVector v00 = FloatVector.fromMemorySegment(F32, s0, 0, ORDER).mul(share0);
            FloatVector v01 = FloatVector.fromMemorySegment(F32, s0, VECTOR, ORDER).mul(share0);
            FloatVector share1 = FloatVector.broadcast(F32, f1);
            FloatVector v10 = FloatVector.fromMemorySegment(F32, s1, 0, ORDER).mul(share1);
            FloatVector v11 = FloatVector.fromMemorySegment(F32, s1, VECTOR, ORDER).mul(share1);
            v00.intoMemorySegment(t0, 0, ORDER);
            v01.intoMemorySegment(t0, VECTOR, ORDER);
            v10.intoMemorySegment(t1, 0, ORDER);
            v11.intoMemorySegment(t1, VECTOR, ORDER);
        }
        giveOne(from, source, sourceBytes, shares, to, target, targetBytes, r, rows);
        long half = VECTOR;
        giveOne(from, source + half, sourceBytes, shares, to, target + half, targetBytes, r, rows);
    }

    /** Writes rows {@code first} to {@code end} of one vector, each times its share. */
    static void giveOne(
            MemorySegment from,
            long source,
            long sourceBytes,
            long shares,
            MemorySegment to,
            long target,
            long targetBytes,
            int first,
            int end) {
        for (int r = first; r < end; r++) {
            FloatVector.fromMemorySegment(F32, from, source + r * sourceBytes, ORDER)
                    .mul(from.get(FLOAT, shares + 4L * r))
                    .intoMemorySegment(to, target + r * targetBytes, ORDER);
        }
    }
}

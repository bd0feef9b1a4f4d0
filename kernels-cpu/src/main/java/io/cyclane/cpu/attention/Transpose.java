package io.cyclane.cpu.attention;

import io.cyclane.cpu.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * A square of L vectors turned about its diagonal, in memory.
 *
 * <p>In step d (L/2, L/4, .. 1) row i and row i + d exchange the off-diagonal halves of their
 * groups of 2d lanes: log2(L) steps of one shuffle and one blend per vector, where element by
 * element it would be L loads and stores.
 */
final class Transpose {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final int L = F32.length();
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final Step[] STEPS = steps();

    /** What to take from where in one step; {@code high} marks the lanes with bit d set. */
    private record Step(
            int distance,
            VectorShuffle<Float> up,
            VectorShuffle<Float> down,
            VectorMask<Float> high) {}

    private Transpose() {}

    /** Turns the L rows at {@code at}, {@code rowBytes} apart. */
    static void square(MemorySegment s, long at, long rowBytes) {
        for (Step step : STEPS) {
            exchange(s, at, rowBytes, step);
        }
    }

    private static void exchange(MemorySegment s, long at, long rowBytes, Step step) {
        int d = step.distance();
        VectorShuffle<Float> up = step.up();
        VectorShuffle<Float> down = step.down();
        VectorMask<Float> high = step.high();
        VectorMask<Float> low = high.not();
        for (int pair = 0; pair < L / 2; pair++) {
            int i = (pair / d) * 2 * d + pair % d;
            long upper = at + i * rowBytes;
            long lower = upper + d * rowBytes;
            FloatVector a = FloatVector.fromMemorySegment(F32, s, upper, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, s, lower, ORDER);
            a.blend(b.rearrange(up), high).intoMemorySegment(s, upper, ORDER);
            b.blend(a.rearrange(down), low).intoMemorySegment(s, lower, ORDER);
        }
    }

    private static Step[] steps() {
        int count = Integer.numberOfTrailingZeros(L);
        Step[] steps = new Step[count];
        for (int n = 0; n < count; n++) {
            int d = L >> (n + 1);
            boolean[] high = new boolean[L];
            for (int lane = 0; lane < L; lane++) {
                high[lane] = (lane & d) != 0;
            }
            steps[n] =
                    new Step(
                            d,
                            F32.shuffleFromOp(lane -> (lane - d + L) % L),
                            F32.shuffleFromOp(lane -> (lane + d) % L),
                            VectorMask.fromArray(F32, high, 0));
        }
        return steps;
    }
}

package io.cyclane.cpu.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.elementwise.Values;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The functions against double precision, and vectors against scalars bit for bit. */
public class MathTest {
    private static final int L = Lanes.F32.length();

    /** Prime, so that every low bit turns up. */
    private static final int SHORT_STEP = 6113;

    private interface Scalar {
        float of(float x);
    }

    private interface Allowed {
        double ulps(float x);
    }

    private enum Function {
        EXP(ScalarMath::exp, VectorMath::exp, StrictMath::exp, x -> 1.0),
        EXP2_FLUSHED(
                x -> x > 0 ? 1f : ScalarMath.exp2Flushed(x),
                x -> VectorMath.exp2Flushed(x).blend(1f, x.compare(VectorOperators.GT, 0f)),
                x -> x > 0 ? 1 : x < -126 ? 0 : StrictMath.pow(2, x),
                x -> 1.0),
        ERF(ScalarMath::erf, VectorMath::erf, Exact::erf, x -> 1.5),
        TANH(ScalarMath::tanh, VectorMath::tanh, StrictMath::tanh, x -> 1.5),
        GELU(ScalarMath::gelu, VectorMath::gelu, Exact::gelu, x -> 4.5),
        GELU_TANH(
                ScalarMath::geluTanh,
                VectorMath::geluTanh,
                Exact::geluTanh,
                x -> 4.0 + (x < 0 ? 2 * 1.6 * Math.abs(x + 0.044715 * x * x * x) : 0)),
        SILU(ScalarMath::silu, VectorMath::silu, Exact::silu, x -> 3.0),
        SQRT(ScalarMath::sqrt, VectorMath::sqrt, Math::sqrt, x -> 0.5),
        RSQRT(ScalarMath::rsqrt, VectorMath::rsqrt, x -> 1 / Math.sqrt(x), x -> 1.5);

        private final Scalar scalar;
        private final UnaryOperator<FloatVector> vector;
        private final DoubleUnaryOperator exact;
        private final Allowed allowed;

        Function(
                Scalar scalar,
                UnaryOperator<FloatVector> vector,
                DoubleUnaryOperator exact,
                Allowed allowed) {
            this.scalar = scalar;
            this.vector = vector;
            this.exact = exact;
            this.allowed = allowed;
        }
    }

    @Test
    void errorsAreAsStated() {
        for (Function function : Function.values()) {
            sweepErrors(function, SHORT_STEP);
        }
    }

    @Test
    void vectorsHaveTheBitsOfScalars() {
        for (Function function : Function.values()) {
            sweepBits(function, SHORT_STEP);
        }
    }

    @Test
    @Tag("long")
    void errorsAreAsStatedForEveryFloat() {
        for (Function function : Function.values()) {
            double worst = sweepErrors(function, 1);
            System.out.println(function + ": " + worst + " of the allowed error over every float");
        }
    }

    @Test
    @Tag("long")
    void vectorsHaveTheBitsOfScalarsForEveryFloat() {
        for (Function function : Function.values()) {
            sweepBits(function, 1);
        }
    }

    @Test
    void specialValuesAreDefined() {
        float inf = Float.POSITIVE_INFINITY;
        float max = Float.MAX_VALUE;
        expect(Function.EXP, new float[] {0f, -0f, inf, -inf, max, -max}, 1f, 1f, inf, 0f, inf, 0f);
        expect(
                Function.ERF,
                new float[] {0f, -0f, inf, -inf, max, -max},
                0f,
                -0f,
                1f,
                -1f,
                1f,
                -1f);
        expect(
                Function.TANH,
                new float[] {0f, -0f, inf, -inf, max, -max},
                0f,
                -0f,
                1f,
                -1f,
                1f,
                -1f);
        for (Function gate : new Function[] {Function.GELU, Function.GELU_TANH, Function.SILU}) {
            float[] x = {0f, -0f, inf, -inf, max, -max};
            expect(gate, x, 0f, -0f, inf, -0f, max, -0f);
        }
        expect(Function.SQRT, new float[] {0f, -0f, inf}, 0f, -0f, inf);
        expect(Function.RSQRT, new float[] {0f, -0f, inf}, inf, -inf, 0f);
        for (Function function : Function.values()) {
            for (int bits : new int[] {0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff}) {
                float y = function.scalar.of(Float.intBitsToFloat(bits));
                assertTrue(Float.isNaN(y), function + " of NaN " + Integer.toHexString(bits));
            }
        }
    }

    @Test
    void theSumOfLanesIsATree() {
        for (int seed = 0; seed < 100; seed++) {
            float[] lanes = Values.random(L, 1f, seed);
            FloatVector vector = FloatVector.fromArray(Lanes.F32, lanes, 0);
            for (int half = L / 2; half > 0; half /= 2) {
                for (int i = 0; i < half; i++) {
                    lanes[i] += lanes[i + half];
                }
            }
            assertEquals(lanes[0], VectorMath.sum(vector), "seed " + seed);
        }
    }

    private static void expect(Function function, float[] x, float... wanted) {
        for (int i = 0; i < x.length; i++) {
            assertEquals(wanted[i], function.scalar.of(x[i]), function + " of " + x[i]);
            float lane = function.vector.apply(FloatVector.broadcast(Lanes.F32, x[i])).lane(L - 1);
            assertEquals(wanted[i], lane, function + " of a vector of " + x[i]);
        }
    }

    private static double sweepErrors(Function function, int step) {
        double worst = 0;
        for (long bits = 0; bits < 1L << 32; bits += step) {
            float x = Float.intBitsToFloat((int) bits);
            double exact = function.exact.applyAsDouble(x);
            float y = function.scalar.of(x);
            float nearest = (float) exact;
            if (Float.isNaN(nearest) || Float.isInfinite(nearest)) {
                assertEquals(nearest, y, () -> function + " of " + x);
                continue;
            }
            double share = Math.abs(y - exact) / Math.ulp(nearest) / function.allowed.ulps(x);
            if (!(share <= 1)) {
                throw new AssertionError(
                        "%s of %s (%s): %s, exactly %s, is %s of the allowed error"
                                .formatted(function, x, Float.toHexString(x), y, exact, share));
            }
            worst = Math.max(worst, share);
        }
        return worst;
    }

    private static void sweepBits(Function function, int step) {
        float[] x = new float[L];
        for (long bits = 0; bits < 1L << 32; bits += (long) step * L) {
            for (int i = 0; i < L; i++) {
                x[i] = Float.intBitsToFloat((int) (bits + (long) i * step));
            }
            FloatVector y = function.vector.apply(FloatVector.fromArray(Lanes.F32, x, 0));
            for (int i = 0; i < L; i++) {
                float wanted = function.scalar.of(x[i]);
                float got = y.lane(i);
                if (Float.floatToIntBits(wanted) != Float.floatToIntBits(got)) {
                    throw new AssertionError(
                            "%s of %s in lane %d: the scalar gives %s, the vector %s"
                                    .formatted(function, x[i], i, wanted, got));
                }
            }
        }
    }
}

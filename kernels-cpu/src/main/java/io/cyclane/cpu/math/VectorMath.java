package io.cyclane.cpu.math;

import static io.cyclane.cpu.math.ScalarMath.*;
import static jdk.incubator.vector.FloatVector.broadcast;

import io.cyclane.cpu.Lanes;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementary functions on vectors of {@link Lanes#F32}.
 *
 * <p>Every lane is worked out by itself, with the operations of {@link ScalarMath}, so a result has
 * the same bits at every width and in every lane. NaN gives NaN. Errors are in units in the last
 * place of the exact result, the largest found over every float by the long form of the test.
 *
 * <p>There are no branches: both sides of a choice are computed and blended, since a vector that
 * meets another after an {@code if} may be put on the heap. Constants and powers of two are written
 * out for the same reason: in a large kernel C2 stops inlining (NodeCountInliningCutoff, from which
 * only the Vector API's own methods are exempt), and a helper then returns its vector on the heap,
 * 1.2 MB a call of a two-layer BERT of width 72.
 */
public final class VectorMath {
    private static final VectorSpecies<Float> F32 = Lanes.F32;
    private static final VectorShuffle<Float> HALVES = turned(F32.length() / 2);
    private static final VectorShuffle<Float> QUARTERS = turned(F32.length() / 4);
    private static final VectorShuffle<Float> EIGHTHS = turned(F32.length() / 8);
    private static final VectorShuffle<Float> SIXTEENTHS = turned(F32.length() / 16);

    private VectorMath() {}

    /**
     * {@return the sum of the lanes}, as a tree: lane i and lane i + L/2, then i and i + L/4, down
     * to 1. The sum that {@code reduceLanes} gives has no stated order, and compiled code does take
     * another than the interpreter.
     */
    public static float sum(FloatVector x) {
        FloatVector halves = x.add(x.rearrange(HALVES));
        FloatVector quarters = halves.add(halves.rearrange(QUARTERS));
        if (F32.length() == 4) {
            return quarters.lane(0);
        }
        FloatVector eighths = quarters.add(quarters.rearrange(EIGHTHS));
        if (F32.length() == 8) {
            return eighths.lane(0);
        }
        return eighths.add(eighths.rearrange(SIXTEENTHS)).lane(0);
    }

    /** {@return e^x}, within 1.0 ulp, subnormal results too. */
    public static FloatVector exp(FloatVector x) {
        FloatVector low = x.blend(EXP_LOWEST, x.compare(VectorOperators.LT, EXP_LOWEST));
        FloatVector a = low.blend(EXP_HIGHEST, x.compare(VectorOperators.GT, EXP_HIGHEST));
        FloatVector rounded = a.fma(broadcast(F32, LOG2_E), broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(remainder(a, rounded));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        return fraction.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
                .mul(
                        exponent.sub(half)
                                .add(127)
                                .lanewise(VectorOperators.LSHL, 23)
                                .reinterpretAsFloats());
    }

    /**
     * {@return 2^x for x at most 0}, within 1.0 ulp, with 0 for results below 2^-126: what a
     * softmax needs, for it spares the two steps to a subnormal result. Right for x up to 127.
     */
    public static FloatVector exp2Flushed(FloatVector x) {
        VectorMask<Float> gone = x.compare(VectorOperators.LT, EXP2_LOWEST);
        FloatVector a = x.blend(EXP2_LOWEST, gone);
        FloatVector rounded = a.add(ROUNDER);
        FloatVector r = a.sub(rounded.sub(ROUNDER));
        FloatVector p = broadcast(F32, EXP2_6).fma(r, broadcast(F32, EXP2_5));
        p = p.fma(r, broadcast(F32, EXP2_4));
        p = p.fma(r, broadcast(F32, EXP2_3));
        p = p.fma(r, broadcast(F32, EXP2_2));
        p = p.fma(r, broadcast(F32, EXP2_1));
        p = p.fma(r, broadcast(F32, 1f));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        return p.mul(exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
                .blend(0f, gone);
    }

    /** {@return the error function of x}, within 1.5 ulp. */
    public static FloatVector erf(FloatVector x) {
        FloatVector s = x.mul(x);
        FloatVector p = broadcast(F32, ERF_6).fma(s, broadcast(F32, ERF_5));
        p = p.fma(s, broadcast(F32, ERF_4));
        p = p.fma(s, broadcast(F32, ERF_3));
        p = p.fma(s, broadcast(F32, ERF_2));
        p = p.fma(s, broadcast(F32, ERF_1));
        p = p.fma(s, broadcast(F32, ERF_0));
        FloatVector near = p.fma(x, x);

        FloatVector size = x.abs();
        FloatVector t = size.blend(ERF_ONE, size.compare(VectorOperators.GT, ERF_ONE));
        FloatVector a = t.mul(t).neg();
        FloatVector rounded = a.fma(broadcast(F32, LOG2_E), broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(remainder(a, rounded));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        FloatVector tail =
                fraction.mul(
                                exponent.add(127)
                                        .lanewise(VectorOperators.LSHL, 23)
                                        .reinterpretAsFloats())
                        .mul(tail(t.mul(SQRT_2)));
        FloatVector far = withSign(broadcast(F32, -2f).fma(tail, broadcast(F32, 1f)), x);
        return far.blend(near, size.compare(VectorOperators.LT, 1f));
    }

    /** {@return the hyperbolic tangent of x}, within 1.5 ulp. */
    public static FloatVector tanh(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector s = size.mul(size);
        FloatVector p = broadcast(F32, TANH_4).fma(s, broadcast(F32, TANH_3));
        p = p.fma(s, broadcast(F32, TANH_2));
        p = p.fma(s, broadcast(F32, TANH_1));
        p = p.fma(s, broadcast(F32, TANH_0));
        FloatVector near = p.mul(s).fma(size, size);

        FloatVector t = size.blend(TANH_ONE, size.compare(VectorOperators.GT, TANH_ONE));
        FloatVector a = t.add(t);
        FloatVector rounded = a.fma(broadcast(F32, LOG2_E), broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(remainder(a, rounded));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        FloatVector e =
                fraction.mul(
                        exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
        FloatVector far = broadcast(F32, 1f).sub(broadcast(F32, 2f).div(e.add(1f)));
        return withSign(far.blend(near, size.compare(VectorOperators.LT, TANH_SMALL)), x);
    }

    /**
     * {@return x times the normal distribution function of x}, the erf form of GELU, within 4.5 ulp
     * for every x.
     *
     * <p>It is x or 0, less |x| Q(|x|), where Q is the upper tail of the normal distribution, the
     * product of exp(-x^2 / 2) and a slowly falling function: so nothing cancels where x is
     * negative, as it does in 1 + erf(x / sqrt(2)).
     */
    public static FloatVector gelu(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector t = size.blend(GELU_LOWEST, size.compare(VectorOperators.GT, GELU_LOWEST));
        FloatVector s = t.mul(t);
        FloatVector lost = t.fma(t, s.neg());
        FloatVector a = s.mul(-0.5f);
        FloatVector rounded = a.fma(broadcast(F32, LOG2_E), broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(lost.fma(broadcast(F32, -0.5f), remainder(a, rounded)));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        FloatVector started =
                fraction.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
                        .mul(tail(t).mul(t));
        FloatVector below =
                started.mul(
                        exponent.sub(half)
                                .add(127)
                                .lanewise(VectorOperators.LSHL, 23)
                                .reinterpretAsFloats());
        return x.blend(-0f, x.compare(VectorOperators.LT, 0f)).sub(below);
    }

    /**
     * {@return the tanh form of GELU}, as x times the logistic function of w = 2 sqrt(2/pi) (x +
     * 0.044715 x^3), within 4 + 2 |w| ulp where x is negative (w is rounded before it is raised)
     * and 4 ulp elsewhere.
     */
    public static FloatVector geluTanh(FloatVector x) {
        return gated(
                x, x.mul(x.mul(x).fma(broadcast(F32, GELU_TANH_3), broadcast(F32, GELU_TANH_1))));
    }

    /** {@return x / (1 + e^-x)}, within 3 ulp. */
    public static FloatVector silu(FloatVector x) {
        return gated(x, x);
    }

    /** {@return the square root of x}, correctly rounded. */
    public static FloatVector sqrt(FloatVector x) {
        return x.lanewise(VectorOperators.SQRT);
    }

    /** {@return 1 / sqrt(x)}, within 1.5 ulp. */
    public static FloatVector rsqrt(FloatVector x) {
        return broadcast(F32, 1f).div(x.lanewise(VectorOperators.SQRT));
    }

    /** {@return x times the logistic function of w}, which has the sign of x. */
    private static FloatVector gated(FloatVector x, FloatVector w) {
        FloatVector size = w.abs();
        FloatVector a =
                size.blend(GATE_LOWEST, size.compare(VectorOperators.GT, GATE_LOWEST)).neg();
        FloatVector rounded = a.fma(broadcast(F32, LOG2_E), broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(remainder(a, rounded));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        FloatVector started =
                fraction.mul(
                        half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
        FloatVector rest =
                exponent.sub(half)
                        .add(127)
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats();
        FloatVector kept = x.blend(-GATE_LOWEST, x.compare(VectorOperators.LT, -GATE_LOWEST));
        FloatVector above = x.blend(started.mul(kept).mul(rest), x.compare(VectorOperators.LT, 0f));
        return above.div(started.fma(rest, broadcast(F32, 1f)));
    }

    /** {@return Q(t) exp(t^2 / 2)} for t from 0 to 15. */
    private static FloatVector tail(FloatVector t) {
        FloatVector u = broadcast(F32, 1f).div(t.add(TAIL_MIDDLE));
        FloatVector v = u.fma(broadcast(F32, -2f * TAIL_MIDDLE), broadcast(F32, 1f));
        FloatVector p = broadcast(F32, TAIL_11).fma(v, broadcast(F32, TAIL_10));
        p = p.fma(v, broadcast(F32, TAIL_9));
        p = p.fma(v, broadcast(F32, TAIL_8));
        p = p.fma(v, broadcast(F32, TAIL_7));
        p = p.fma(v, broadcast(F32, TAIL_6));
        p = p.fma(v, broadcast(F32, TAIL_5));
        p = p.fma(v, broadcast(F32, TAIL_4));
        p = p.fma(v, broadcast(F32, TAIL_3));
        p = p.fma(v, broadcast(F32, TAIL_2));
        p = p.fma(v, broadcast(F32, TAIL_1));
        p = p.fma(v, broadcast(F32, TAIL_0));
        return p.mul(u);
    }

    private static FloatVector remainder(FloatVector a, FloatVector rounded) {
        FloatVector n = rounded.sub(ROUNDER);
        return n.fma(broadcast(F32, -LN2_LOW), n.fma(broadcast(F32, -LN2_HIGH), a));
    }

    private static FloatVector expOf(FloatVector r) {
        FloatVector p = broadcast(F32, EXP_6).fma(r, broadcast(F32, EXP_5));
        p = p.fma(r, broadcast(F32, EXP_4));
        p = p.fma(r, broadcast(F32, EXP_3));
        p = p.fma(r, broadcast(F32, EXP_2));
        return broadcast(F32, 1f).add(p.fma(r.mul(r), r));
    }

    private static FloatVector withSign(FloatVector size, FloatVector sign) {
        IntVector signs = sign.reinterpretAsInts().and(Integer.MIN_VALUE);
        return size.reinterpretAsInts().or(signs).reinterpretAsFloats();
    }

    private static VectorShuffle<Float> turned(int by) {
        return F32.shuffleFromOp(i -> (i + by) % F32.length());
    }
}

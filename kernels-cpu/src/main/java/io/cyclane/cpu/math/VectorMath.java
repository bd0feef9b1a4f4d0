package io.cyclane.cpu.math;

import static io.cyclane.cpu.math.ScalarMath.*;

import io.cyclane.cpu.Lanes;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
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
 * meets another after an {@code if} may be put on the heap.
 *
 * <p>A call that is not inlined puts its vectors on the heap too, and C2 inlines no method of more
 * than 325 bytes of code (FreqInlineSize), and none at all once the caller has 18,000 nodes
 * (NodeCountInliningCutoff), some sixty vector operations. So helpers are few, and called before
 * their caller has grown; the rest is written out. GELU with small helpers throughout took 7 to 20
 * ns per element, in one piece 1.7, as it stands 0.75 (Xeon, AVX-512, JDK 25). A caller does well
 * to have one call in a loop. Constants kept as vectors in static fields were no faster than
 * broadcasts: GELU then took 1.05.
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
        FloatVector rounded =
                a.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUNDER));
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
     * softmax needs, for it spares the two steps to a subnormal result. Right for x up to 126.
     *
     * <p>The polynomial gives half of 2^r and the rounder adds 128 to the exponent, one too many:
     * then its low bits, moved up, are the power of two, and those of 2^-128 are zero.
     */
    public static FloatVector exp2Flushed(FloatVector x) {
        FloatVector a = x.blend(EXP2_ZERO, x.compare(VectorOperators.LT, EXP2_LOWEST));
        FloatVector rounded = a.add(EXP2_ROUNDER);
        FloatVector r = a.sub(rounded.sub(EXP2_ROUNDER));
        FloatVector p =
                FloatVector.broadcast(F32, EXP2_6).fma(r, FloatVector.broadcast(F32, EXP2_5));
        p = p.fma(r, FloatVector.broadcast(F32, EXP2_4));
        p = p.fma(r, FloatVector.broadcast(F32, EXP2_3));
        p = p.fma(r, FloatVector.broadcast(F32, EXP2_2));
        p = p.fma(r, FloatVector.broadcast(F32, EXP2_1));
        p = p.fma(r, FloatVector.broadcast(F32, 0.5f));
        IntVector power = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        return p.mul(power.reinterpretAsFloats());
    }

    /** {@return the error function of x}, within 1.5 ulp. */
    public static FloatVector erf(FloatVector x) {
        FloatVector s = x.mul(x);
        FloatVector p = FloatVector.broadcast(F32, ERF_6).fma(s, FloatVector.broadcast(F32, ERF_5));
        p = p.fma(s, FloatVector.broadcast(F32, ERF_4));
        p = p.fma(s, FloatVector.broadcast(F32, ERF_3));
        p = p.fma(s, FloatVector.broadcast(F32, ERF_2));
        p = p.fma(s, FloatVector.broadcast(F32, ERF_1));
        p = p.fma(s, FloatVector.broadcast(F32, ERF_0));
        FloatVector near = p.fma(x, x);

        FloatVector size = x.abs();
        FloatVector t = size.blend(ERF_ONE, size.compare(VectorOperators.GT, ERF_ONE));
        FloatVector q = tail(t.mul(SQRT_2));
        FloatVector a = t.mul(t).neg();
        FloatVector rounded =
                a.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(remainder(a, rounded));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        FloatVector tail =
                fraction.mul(
                                exponent.add(127)
                                        .lanewise(VectorOperators.LSHL, 23)
                                        .reinterpretAsFloats())
                        .mul(q);
        IntVector sign = x.reinterpretAsInts().and(Integer.MIN_VALUE);
        FloatVector above =
                FloatVector.broadcast(F32, -2f).fma(tail, FloatVector.broadcast(F32, 1f));
        FloatVector far = above.reinterpretAsInts().or(sign).reinterpretAsFloats();
        return far.blend(near, size.compare(VectorOperators.LT, 1f));
    }

    /** {@return the hyperbolic tangent of x}, within 1.5 ulp. */
    public static FloatVector tanh(FloatVector x) {
        FloatVector size = x.abs();
        FloatVector s = size.mul(size);
        FloatVector p =
                FloatVector.broadcast(F32, TANH_4).fma(s, FloatVector.broadcast(F32, TANH_3));
        p = p.fma(s, FloatVector.broadcast(F32, TANH_2));
        p = p.fma(s, FloatVector.broadcast(F32, TANH_1));
        p = p.fma(s, FloatVector.broadcast(F32, TANH_0));
        FloatVector near = p.mul(s).fma(size, size);

        FloatVector t = size.blend(TANH_ONE, size.compare(VectorOperators.GT, TANH_ONE));
        FloatVector a = t.add(t);
        FloatVector rounded =
                a.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUNDER));
        FloatVector fraction = expOf(remainder(a, rounded));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        FloatVector e =
                fraction.mul(
                        exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
        FloatVector far =
                FloatVector.broadcast(F32, 1f).sub(FloatVector.broadcast(F32, 2f).div(e.add(1f)));
        FloatVector y = far.blend(near, size.compare(VectorOperators.LT, TANH_SMALL));
        IntVector sign = x.reinterpretAsInts().and(Integer.MIN_VALUE);
        return y.reinterpretAsInts().or(sign).reinterpretAsFloats();
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
        FloatVector q = tail(t).mul(t);
        FloatVector s = t.mul(t);
        FloatVector lost = t.fma(t, s.neg());
        FloatVector a = s.mul(-0.5f);
        FloatVector rounded =
                a.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUNDER));
        FloatVector fraction =
                expOf(lost.fma(FloatVector.broadcast(F32, -0.5f), remainder(a, rounded)));
        IntVector exponent = rounded.reinterpretAsInts().sub(ROUNDER_BITS);
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        FloatVector started =
                fraction.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
                        .mul(q);
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
                x,
                x.mul(
                        x.mul(x)
                                .fma(
                                        FloatVector.broadcast(F32, GELU_TANH_3),
                                        FloatVector.broadcast(F32, GELU_TANH_1))));
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
        return FloatVector.broadcast(F32, 1f).div(x.lanewise(VectorOperators.SQRT));
    }

    /** {@return x times the logistic function of w}, which has the sign of x. */
    private static FloatVector gated(FloatVector x, FloatVector w) {
        FloatVector size = w.abs();
        FloatVector a =
                size.blend(GATE_LOWEST, size.compare(VectorOperators.GT, GATE_LOWEST)).neg();
        FloatVector rounded =
                a.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUNDER));
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
        return above.div(started.fma(rest, FloatVector.broadcast(F32, 1f)));
    }

    /**
     * {@return Q(t) exp(t^2 / 2)} for t from 0 to 15, odd and even powers by themselves: in one
     * chain of twelve, each waits for the one before (1.2 times the time of all of GELU, Zen 3).
     */
    private static FloatVector tail(FloatVector t) {
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
        return odd.fma(v, even).mul(u);
    }

    private static FloatVector remainder(FloatVector a, FloatVector rounded) {
        FloatVector n = rounded.sub(ROUNDER);
        return n.fma(
                FloatVector.broadcast(F32, -LN2_LOW),
                n.fma(FloatVector.broadcast(F32, -LN2_HIGH), a));
    }

    private static FloatVector expOf(FloatVector r) {
        FloatVector p = FloatVector.broadcast(F32, EXP_6).fma(r, FloatVector.broadcast(F32, EXP_5));
        p = p.fma(r, FloatVector.broadcast(F32, EXP_4));
        p = p.fma(r, FloatVector.broadcast(F32, EXP_3));
        p = p.fma(r, FloatVector.broadcast(F32, EXP_2));
        return FloatVector.broadcast(F32, 1f).add(p.fma(r.mul(r), r));
    }

    private static VectorShuffle<Float> turned(int by) {
        return F32.shuffleFromOp(i -> (i + by) % F32.length());
    }
}

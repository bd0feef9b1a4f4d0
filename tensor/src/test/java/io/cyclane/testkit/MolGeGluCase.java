package io.cyclane.testkit;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.MolGeGlu;

/**
 * A mixture of LoRAs with the numbers it is run on.
 *
 * @param sizes of everything
 */
record MolGeGluCase(
        MolGeGlu op,
        Sizes sizes,
        float[] x,
        int[] chosen,
        float[] gates,
        float[] wi,
        float[] wo,
        float[] a1,
        float[] b1,
        float[] a2,
        float[] b2,
        float[] residual) {
    /** The extents of a mixture; {@code hidden} is half of what wi gives. */
    record Sizes(int rows, int choices, int experts, int rank, int width, int hidden, int outputs) {
        static Sizes of(int rows, int width, int hidden) {
            return new Sizes(rows, 2, 5, 7, width, hidden, width);
        }

        Sizes rows(int count) {
            return new Sizes(count, choices, experts, rank, width, hidden, outputs);
        }

        Sizes choices(int count) {
            return new Sizes(rows, count, experts, rank, width, hidden, outputs);
        }

        Sizes experts(int count, int newRank) {
            return new Sizes(rows, choices, count, newRank, width, hidden, outputs);
        }

        Sizes outputs(int count) {
            return new Sizes(rows, choices, experts, rank, width, hidden, count);
        }
    }

    /** Updates weigh as much as what they update, so that a mistake in either shows. */
    static MolGeGluCase random(MolGeGlu op, Sizes s, Generators random) {
        double in = 1 / Math.sqrt(s.width);
        double out = 1 / Math.sqrt(s.hidden);
        double up = 1 / Math.sqrt(s.rank);
        return new MolGeGluCase(
                op,
                s,
                random.normal(s.rows * s.width),
                random.integers(s.rows * s.choices, s.experts),
                random.uniform(s.rows * s.choices, -0.2, 1),
                random.normal(2 * s.hidden * s.width, 0, in),
                random.normal(s.outputs * s.hidden, 0, out),
                random.normal(s.experts * s.rank * s.width, 0, in),
                random.normal(s.experts * 2 * s.hidden * s.rank, 0, up),
                random.normal(s.experts * s.rank * s.hidden, 0, out),
                random.normal(s.experts * s.outputs * s.rank, 0, up),
                random.normal(s.rows * s.outputs));
    }

    /** The same with other choices and gates, so many a row. */
    MolGeGluCase routed(int choices, int[] newChosen, float[] newGates) {
        return new MolGeGluCase(
                op,
                sizes.choices(choices),
                x,
                newChosen,
                newGates,
                wi,
                wo,
                a1,
                b1,
                a2,
                b2,
                residual);
    }

    /** The same with other updates. */
    MolGeGluCase updated(int experts, float[] newA1, float[] newB1, float[] newA2, float[] newB2) {
        return new MolGeGluCase(
                op,
                sizes.experts(experts, sizes.rank),
                x,
                chosen,
                gates,
                wi,
                wo,
                newA1,
                newB1,
                newA2,
                newB2,
                residual);
    }

    /** The same on some of the rows. */
    MolGeGluCase cut(int first, int count) {
        int[] some = new int[count * sizes.choices];
        System.arraycopy(chosen, first * sizes.choices, some, 0, some.length);
        return new MolGeGluCase(
                op,
                sizes.rows(count),
                OpConformance.cut(x, sizes.width, first, count),
                some,
                OpConformance.cut(gates, sizes.choices, first, count),
                wi,
                wo,
                a1,
                b1,
                a2,
                b2,
                OpConformance.cut(residual, sizes.outputs, first, count));
    }

    /** The same on another x. */
    MolGeGluCase on(float[] newX) {
        return new MolGeGluCase(op, sizes, newX, chosen, gates, wi, wo, a1, b1, a2, b2, residual);
    }

    OneOp program() {
        Sizes s = sizes;
        Extent tokens = OpConformance.tokens(s.rows);
        OneOp one =
                new OneOp(op)
                        .with("x", OpConformance.rows(s.rows, s.width), x)
                        .withIntegers(
                                "experts", Type.i32(Shape.of(tokens, Extent.of(s.choices))), chosen)
                        .with("gates", OpConformance.rows(s.rows, s.choices), gates)
                        .weight("wi", wi, 2 * s.hidden, s.width)
                        .weight("wo", wo, s.outputs, s.hidden)
                        .weight("a1", a1, s.experts, s.rank, s.width)
                        .weight("b1", b1, s.experts, 2 * s.hidden, s.rank)
                        .weight("a2", a2, s.experts, s.rank, s.hidden)
                        .weight("b2", b2, s.experts, s.outputs, s.rank);
        if (op.residual()) {
            one.with("residual", OpConformance.rows(s.rows, s.outputs), residual);
        }
        return one.count("tokens", s.rows);
    }

    /**
     * {@return how far each element of y may lie from its exact value}
     *
     * @param between the type of values on the way, which its roundings move: none is rounded more
     *     than {@value #BETWEEN} times in either half of the layer
     */
    Tolerance tolerance(DType between) {
        double[] bounds = new double[sizes.rows * sizes.outputs];
        for (int row = 0; row < sizes.rows; row++) {
            boundsOf(row, roundings(between), bounds);
        }
        return (i, y) -> {
            double error = bounds[i];
            return op.residual() ? error + Tolerance.UNIT * (Math.abs(y) + error) : error;
        };
    }

    /**
     * In steps: what a1 gives, and that scaled; the update of wi, the sum of those, what wi gives,
     * the sum of both. Likewise behind the function.
     */
    private static final int BETWEEN = 6;

    /** {@return the relative error of a value that is rounded so often on its way} */
    static double roundings(DType between) {
        double all = BETWEEN * Tolerance.unit(between);
        return between == DType.F32 ? 0 : all / (1 - all);
    }

    /** Hidden values of one layer: how large they may be, and how far they may be off. */
    private record Hidden(double[] most, double[] error) {}

    /**
     * The error of a hidden value goes through wo and the second update; both add their own. Every
     * way to the result, updates in factors or multiplied out, takes no more roundings than the
     * inner extents together and a few for scale, gates and sums.
     */
    private void boundsOf(int row, double between, double[] bounds) {
        Sizes s = sizes;
        Hidden[] each = new Hidden[s.choices];
        if (op.mixedWeights()) {
            java.util.Arrays.fill(each, hidden(row, 0, s.choices, between));
        } else {
            for (int j = 0; j < s.choices; j++) {
                each[j] = hidden(row, j, j + 1, between);
            }
        }
        double own = between + Tolerance.roundings(s.hidden + s.rank + s.choices + 8);
        for (int o = 0; o < s.outputs; o++) {
            double error = 0;
            for (int j = 0; j < s.choices; j++) {
                double gate = Math.abs(gate(row, j));
                for (int i = 0; i < s.hidden; i++) {
                    double weight = gate * update(a2, b2, row, j, o, i, s.outputs, s.hidden);
                    weight += baseShare(row, j) * Math.abs(wo[o * s.hidden + i]);
                    error += weight * each[j].error[i];
                    error += weight * own * (each[j].most[i] + each[j].error[i]);
                }
            }
            double tiny = (s.width + s.hidden + s.rank + 8) * Tolerance.TINY;
            bounds[row * s.outputs + o] = error + tiny;
        }
    }

    /** By how much the base's product with a choice's hidden values counts in the result. */
    private double baseShare(int row, int choice) {
        if (op.mixedWeights()) {
            return choice == 0 ? 1 : 0;
        }
        return Math.abs(gate(row, choice));
    }

    /** Of a layer whose wi is updated by these choices, each weighed with its gate if mixed. */
    private Hidden hidden(int row, int from, int end, double between) {
        Sizes s = sizes;
        double[] most = new double[s.hidden];
        double[] error = new double[s.hidden];
        for (int i = 0; i < s.hidden; i++) {
            double[] a = product(row, from, end, i, between);
            double[] b = product(row, from, end, s.hidden + i, between);
            double bend = Tolerance.slope(Activation.GELU) * a[1];
            double size = Math.abs(a[0]);
            double e = bend + Tolerance.function(Activation.GELU, size + a[1], size);
            most[i] = size * Math.abs(b[0]);
            error[i] = e * Math.abs(b[0]) + size * b[1] + e * b[1];
            error[i] += (Tolerance.UNIT + between) * (most[i] + error[i]) + Tolerance.TINY;
        }
        return new Hidden(most, error);
    }

    /** What wi and its updates give, exactly, and by how much it may be off. */
    private double[] product(int row, int from, int end, int output, double between) {
        Sizes s = sizes;
        double sum = 0;
        double magnitudes = 0;
        for (int k = 0; k < s.width; k++) {
            double weight = wi[output * s.width + k];
            double size = Math.abs(weight);
            for (int j = from; j < end; j++) {
                double gate = op.mixedWeights() ? gate(row, j) : 1;
                for (int r = 0; r < s.rank; r++) {
                    double term = gate * op.scale() * term(a1, b1, row, j, output, k, r, s.width);
                    weight += term;
                    size += Math.abs(term);
                }
            }
            double value = x[row * s.width + k];
            sum += weight * value;
            magnitudes += size * Math.abs(value);
        }
        double own = between + Tolerance.roundings(s.width + s.rank + s.choices + 6);
        double error = own * magnitudes;
        return new double[] {sum, error + (s.width + s.rank) * Tolerance.TINY};
    }

    private double term(
            float[] a, float[] b, int row, int choice, int output, int input, int r, int inputs) {
        int expert = chosen[row * sizes.choices + choice];
        int outputs = b.length / sizes.experts / sizes.rank;
        return (double) b[(expert * outputs + output) * sizes.rank + r]
                * a[(expert * sizes.rank + r) * inputs + input];
    }

    /** The magnitude of an update's element, as it may be summed. */
    private double update(
            float[] a,
            float[] b,
            int row,
            int choice,
            int output,
            int input,
            int outputs,
            int inputs) {
        double sum = 0;
        for (int r = 0; r < sizes.rank; r++) {
            sum += Math.abs(term(a, b, row, choice, output, input, r, inputs));
        }
        return Math.abs(op.scale()) * sum;
    }

    private double gate(int row, int choice) {
        return gates[row * sizes.choices + choice];
    }
}

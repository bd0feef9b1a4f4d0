package io.cyclane.testkit;

import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Linear;

/** A dense layer with the numbers it is run on. */
record LinearCase(
        Linear op,
        Type type,
        int inputs,
        int outputs,
        float[] x,
        float[] weight,
        float[] bias,
        float[] residual) {
    static LinearCase random(Linear op, Type type, int rows, int outputs, Generators random) {
        int inputs = type.shape().last();
        return new LinearCase(
                op,
                type,
                inputs,
                outputs,
                random.normal(rows * inputs),
                random.normal(outputs * inputs, 0, 1 / Math.sqrt(inputs)),
                random.normal(outputs),
                random.normal(rows * (op.gated() ? outputs / 2 : outputs)));
    }

    /** The same layer on some of the rows. */
    LinearCase cut(int first, int rows) {
        return new LinearCase(
                op,
                OpConformance.rows(rows, inputs),
                inputs,
                outputs,
                OpConformance.cut(x, inputs, first, rows),
                weight,
                bias,
                OpConformance.cut(residual, width(), first, rows));
    }

    int width() {
        return op.gated() ? outputs / 2 : outputs;
    }

    OneOp program() {
        OneOp one = new OneOp(op).with("x", type, x).weight("weight", weight, outputs, inputs);
        if (op.bias()) {
            one.weight("bias", bias, outputs);
        }
        if (op.residual()) {
            Type same = type.with(type.shape().withLast(width()));
            one.with("residual", same, residual);
        }
        return type.shape().isFixed() ? one : one.count("tokens", x.length / inputs);
    }

    /** No function of the set gives more than its argument's magnitude, so this is the most. */
    double most(int row, int column) {
        double a = Math.abs(product(row, column)[0]);
        return op.gated() ? a * Math.abs(product(row, column + width())[0]) : a;
    }

    /** What the dense layer gives before anything follows it, exactly, and its magnitude. */
    private double[] product(int row, int column) {
        double sum = op.bias() ? bias[column] : 0;
        double magnitudes = Math.abs(sum);
        for (int k = 0; k < inputs; k++) {
            double term = (double) x[row * inputs + k] * weight[column * inputs + k];
            sum += term;
            magnitudes += Math.abs(term);
        }
        return new double[] {sum, magnitudes};
    }

    /**
     * In any order, n multiply-adds and the bias err by at most n + 1 unit roundoffs of the summed
     * magnitudes; the function enlarges that by its slope at most, and adds its own error; a gate
     * multiplies, a residual adds, each with a rounding.
     */
    double allowed(int part, int index, double y) {
        int columns = width() / op.parts();
        int row = index / columns;
        int column = part * columns + index % columns;
        double dot = Tolerance.roundings(inputs + 1);
        double[] a = product(row, column);
        double bend = Tolerance.slope(op.function()) * dot * a[1];
        // No function of the set gives more than its argument's magnitude.
        double most = Math.abs(a[0]);
        double error = bend + Tolerance.function(op.function(), most + dot * a[1], most);
        double value = most;
        if (op.gated()) {
            double[] b = product(row, column + width());
            double ofB = dot * b[1];
            error = error * Math.abs(b[0]) + most * ofB + error * ofB;
            value = most * Math.abs(b[0]);
            error += Tolerance.UNIT * (value + error);
        }
        if (op.residual()) {
            error += Tolerance.UNIT * (Math.abs(y) + error);
        }
        return error + (inputs + 2) * Tolerance.TINY;
    }

    Tolerance[] tolerances() {
        Tolerance[] tolerances = new Tolerance[op.parts()];
        for (int part = 0; part < op.parts(); part++) {
            int own = part;
            tolerances[part] = (i, y) -> allowed(own, i, y);
        }
        return tolerances;
    }
}

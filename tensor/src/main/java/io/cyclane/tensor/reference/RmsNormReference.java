package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.RmsNorm;

/** {@code y = x / sqrt(mean of x^2 + eps) * weight}, row by row. */
final class RmsNormReference {
    private RmsNormReference() {}

    static Kernel of(RmsNorm op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values weight = new Values(operands.input(1), operands.inputType(1).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                long at = (long) i * width;
                double squares = 0;
                for (int j = 0; j < width; j++) {
                    squares += x.get(at + j) * x.get(at + j);
                }
                double rootMeanSquare = Math.sqrt(squares / width + op.eps());
                for (int j = 0; j < width; j++) {
                    y.set(at + j, x.get(at + j) / rootMeanSquare * weight.get(j));
                }
            }
        };
    }
}

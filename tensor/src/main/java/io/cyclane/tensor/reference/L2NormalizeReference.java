package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.L2Normalize;

/** {@code y = x / max(sqrt(sum of x^2), floor)}, row by row. */
final class L2NormalizeReference {
    private L2NormalizeReference() {}

    static Kernel of(L2Normalize op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
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
                double norm = Math.max(Math.sqrt(squares), op.floor());
                for (int j = 0; j < width; j++) {
                    y.set(at + j, x.get(at + j) / norm);
                }
            }
        };
    }
}

package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.MatMul;

/** {@code z[i, j] = sum over k of x[i, k] * y[k, j]}, or {@code y[j, k]} where transposed. */
final class MatMulReference {
    private MatMulReference() {}

    static Kernel of(MatMul op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values y = new Values(operands.input(1), operands.inputType(1).dtype());
        Values z = new Values(operands.result(), operands.resultType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int inner = operands.inputType(0).shape().last();
        int columns = operands.resultType(0).shape().last();
        long downInner = op.transposed() ? 1 : columns;
        long downColumns = op.transposed() ? inner : 1;
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < columns; j++) {
                    double sum = 0;
                    for (int k = 0; k < inner; k++) {
                        sum += x.get((long) i * inner + k) * y.get(k * downInner + j * downColumns);
                    }
                    z.set((long) i * columns + j, sum);
                }
            }
        };
    }
}

package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;

/** {@code y = exp(x - max) / sum of exp(x - max)}, row by row. */
final class SoftmaxReference {
    private SoftmaxReference() {}

    static Kernel of(Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                long at = (long) i * width;
                double max = Double.NEGATIVE_INFINITY;
                for (int j = 0; j < width; j++) {
                    max = Math.max(max, x.get(at + j));
                }
                double sum = 0;
                for (int j = 0; j < width; j++) {
                    sum += Math.exp(x.get(at + j) - max);
                }
                for (int j = 0; j < width; j++) {
                    y.set(at + j, Math.exp(x.get(at + j) - max) / sum);
                }
            }
        };
    }
}

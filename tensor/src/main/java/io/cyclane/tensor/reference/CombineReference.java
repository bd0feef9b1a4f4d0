package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;

/** {@code y[t] = sum over j of gates[t, j] * x[t, j]}. */
final class CombineReference {
    private CombineReference() {}

    static Kernel of(Operands operands) {
        Values gates = new Values(operands.input(0), operands.inputType(0).dtype());
        Values x = new Values(operands.input(1), operands.inputType(1).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count rows = operands.rows(operands.inputType(0));
        int choices = operands.inputType(0).shape().last();
        int width = operands.resultType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int row = 0; row < n; row++) {
                for (int i = 0; i < width; i++) {
                    double sum = 0;
                    for (int j = 0; j < choices; j++) {
                        long choice = (long) row * choices + j;
                        sum += gates.get(choice) * x.get(choice * width + i);
                    }
                    y.set((long) row * width + i, sum);
                }
            }
        };
    }
}

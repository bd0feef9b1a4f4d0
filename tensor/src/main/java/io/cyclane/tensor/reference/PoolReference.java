package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Pool;

/** The mean of each sequence's rows, or its first row; zeros where it has none. */
final class PoolReference {
    private PoolReference() {}

    static Kernel of(Pool op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values offsets = new Values(operands.input(1), operands.inputType(1).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count sequences = operands.rows(operands.resultType(0));
        int width = operands.inputType(0).shape().last();
        return () -> {
            int n = sequences.value();
            for (int s = 0; s < n; s++) {
                int start = offsets.integer(s);
                int length = offsets.integer(s + 1) - start;
                int rows =
                        switch (op.kind()) {
                            case MEAN -> length;
                            case CLS -> Math.min(length, 1);
                        };
                for (int j = 0; j < width; j++) {
                    double sum = 0;
                    for (int t = start; t < start + rows; t++) {
                        sum += x.get((long) t * width + j);
                    }
                    y.set((long) s * width + j, rows == 0 ? 0.0 : sum / rows);
                }
            }
        };
    }
}

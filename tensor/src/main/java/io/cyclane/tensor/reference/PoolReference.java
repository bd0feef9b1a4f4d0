package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Pool;

/** The mean of each sequence's rows, its first row or its own; zeros where it has no tokens. */
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
                int length = offsets.integer(s + 1) - offsets.integer(s);
                int start =
                        switch (op.kind()) {
                            case MEAN, CLS -> offsets.integer(s);
                            case OWN -> s;
                        };
                int rows =
                        switch (op.kind()) {
                            case MEAN -> length;
                            case CLS, OWN -> Math.min(length, 1);
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

package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Positions;

/** {@code y[t] = first + t - offsets[s]} for each row t of sequence s. */
final class PositionsReference {
    private PositionsReference() {}

    static Kernel of(Positions op, Operands operands) {
        Values offsets = new Values(operands.input(0), operands.inputType(0).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count borders = operands.elements(operands.inputType(0));
        return () -> {
            int n = borders.value() - 1;
            for (int s = 0; s < n; s++) {
                int start = offsets.integer(s);
                int end = offsets.integer(s + 1);
                for (int t = start; t < end; t++) {
                    y.set(t, op.first() + t - start);
                }
            }
        };
    }
}

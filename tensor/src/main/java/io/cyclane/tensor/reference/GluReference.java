package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Glu;
import java.util.function.DoubleUnaryOperator;

/** {@code y = function(a) * b}, a and b the halves of each row. */
final class GluReference {
    private GluReference() {}

    static Kernel of(Glu op, Operands operands) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        DoubleUnaryOperator function = ActivateReference.function(op.function());
        Count rows = operands.rows(operands.inputType(0));
        int half = operands.resultType(0).shape().last();
        return () -> {
            int n = rows.value();
            for (int i = 0; i < n; i++) {
                long at = 2L * i * half;
                for (int j = 0; j < half; j++) {
                    double gate = function.applyAsDouble(x.get(at + j));
                    y.set((long) i * half + j, gate * x.get(at + half + j));
                }
            }
        };
    }
}

package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import java.util.function.DoubleBinaryOperator;

/** {@code y = a * b}; b is of a's shape or a vector multiplied into every row. */
final class MultiplyReference {
    private MultiplyReference() {}

    static Kernel of(Operands operands) {
        return elementwise(operands, (a, b) -> a * b);
    }

    /** The second input is read round and round where it is shorter. */
    static Kernel elementwise(Operands operands, DoubleBinaryOperator function) {
        Values a = new Values(operands.input(0), operands.inputType(0).dtype());
        Values b = new Values(operands.input(1), operands.inputType(1).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count elements = operands.elements(operands.resultType(0));
        long period = operands.inputType(1).shape().elements();
        return () -> {
            int n = elements.value();
            for (int i = 0; i < n; i++) {
                y.set(i, function.applyAsDouble(a.get(i), b.get(i % period)));
            }
        };
    }
}

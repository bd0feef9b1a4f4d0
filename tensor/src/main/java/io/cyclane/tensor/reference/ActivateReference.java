package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import java.util.function.DoubleUnaryOperator;

/** {@code y = function(x)}. */
final class ActivateReference {
    private static final double SQRT_HALF = Math.sqrt(0.5);
    private static final double SQRT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);

    private ActivateReference() {}

    static Kernel of(Activate op, Operands operands) {
        return elementwise(operands, function(op.function()));
    }

    static Kernel elementwise(Operands operands, DoubleUnaryOperator function) {
        Values x = new Values(operands.input(0), operands.inputType(0).dtype());
        Values y = new Values(operands.result(), operands.resultType(0).dtype());
        Count elements = operands.elements(operands.resultType(0));
        return () -> {
            int n = elements.value();
            for (int i = 0; i < n; i++) {
                y.set(i, function.applyAsDouble(x.get(i)));
            }
        };
    }

    /** {@return an activation in double} */
    static DoubleUnaryOperator function(Activation function) {
        return switch (function) {
            case IDENTITY -> x -> x;
            case GELU -> x -> 0.5 * x * Erf.complement(-x * SQRT_HALF);
            case GELU_TANH ->
                    x -> 0.5 * x * (1 + Math.tanh(SQRT_TWO_OVER_PI * (x + 0.044715 * x * x * x)));
            case SILU -> x -> x / (1 + Math.exp(-x));
            case RELU -> x -> Math.max(x, 0);
            case TANH -> Math::tanh;
        };
    }
}

package io.cyclane.tensor.reference;

import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.op.Scale;

/** {@code y = factor * x}. */
final class ScaleReference {
    private ScaleReference() {}

    static Kernel of(Scale op, Operands operands) {
        return ActivateReference.elementwise(operands, x -> op.factor() * x);
    }
}

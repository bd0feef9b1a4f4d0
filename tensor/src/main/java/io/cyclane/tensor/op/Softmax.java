package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;

/**
 * {@code y[.., i] = exp(x[.., i] - max) / sum over j of exp(x[.., j] - max)}. x and y are [.., D];
 * y may be x.
 */
public record Softmax() implements Op.Unary {
    @Override
    public Type infer(Type x) {
        Op.requireFloat("x", x, 1);
        return x;
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return true;
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}

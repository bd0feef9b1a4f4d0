package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;

/**
 * {@code y = x}: the same numbers as a value of its own. x and y are [..] of any type; y may be x.
 */
public record Copy() implements Op.Unary {
    @Override
    public Type infer(Type x) {
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

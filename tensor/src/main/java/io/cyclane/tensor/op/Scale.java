package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;

/** {@code y = factor * x}, element by element. x and y are [..]; y may be x. */
public record Scale(float factor) implements Op.Unary {
    @Override
    public Type infer(Type x) {
        Op.requireFloat("x", x, 0);
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

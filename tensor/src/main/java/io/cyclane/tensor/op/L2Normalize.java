package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;

/**
 * {@code y = x / max(sqrt(sum of x^2), floor)} over the last axis. x and y are [.., D]; y may be x.
 * A row of zeros stays one.
 */
public record L2Normalize(float floor) implements Op.Unary {
    @Override
    public Type infer(Type x) {
        Op.requireFloat("x", x, 1);
        Op.require(floor > 0, "the floor under the norm must be above 0, is %s", floor);
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

package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;

/**
 * Gated linear unit: {@code y = function(a) * b}, where a and b are the halves of x along the last
 * axis: GeGLU with {@link Activation#GELU}, SwiGLU with {@link Activation#SILU}.
 *
 * <p>x is [.., 2F], y is [.., F]. Not in place: y is half as wide. Source: arXiv:2002.05202,
 * section 2.
 */
public record Glu(Activation function) implements Op.Unary {
    @Override
    public Type infer(Type x) {
        Op.requireFloat("x", x, 1);
        Op.require(x.shape().last() % 2 == 0, "the last extent must be even: %s", x);
        return x.with(x.shape().withLast(x.shape().last() / 2));
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}

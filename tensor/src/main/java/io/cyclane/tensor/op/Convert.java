package io.cyclane.tensor.op;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Type;

/**
 * {@code y = x} in another floating-point type, each element rounded to the nearest that it holds,
 * ties to even. x and y are [..].
 *
 * <p>It stands where values stored in fewer bits meet a program's inputs, outputs and variables:
 * {@link io.cyclane.tensor.program.Narrowing} puts it there.
 */
public record Convert(DType dtype) implements Op.Unary {
    @Override
    public Type infer(Type x) {
        Op.requireFloat("x", x, 0);
        Op.require(dtype.isFloat(), "converts to floating-point types, not to %s", dtype);
        return x.with(dtype);
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

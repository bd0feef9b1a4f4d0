package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Matrix product: {@code z = x . y}, or {@code x . y^T} with {@code transposed}.
 *
 * <p>x is [.., I], y is [I, O], or [O, I] with {@code transposed}; z is [.., O].
 */
public record MatMul(boolean transposed) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type x = inputs.getFirst();
        Type y = inputs.getLast();
        Op.requireFloat("x", x, 1);
        Op.require(x.dtype() == y.dtype(), "element types differ, x is %s, y is %s", x, y);
        Shape right = y.shape();
        Op.require(
                right.rank() == 2 && right.isFixed(),
                "y must be a matrix of fixed extents, is %s",
                y);
        int inner = right.extent(transposed ? 1 : 0).bound();
        int outer = right.extent(transposed ? 0 : 1).bound();
        Op.require(x.shape().last() == inner, "inner extents differ, x is %s, y is %s", x, y);
        return List.of(x.with(x.shape().withLast(outer)));
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}

package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;
import java.util.List;

/**
 * {@code y = a * b}. a and y are [.., D]; b is of a's shape, or [D] and multiplied into every row.
 * y may be a or b.
 */
public record Multiply() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(broadcast(inputs));
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return true;
    }

    @Override
    public boolean isRowwise() {
        return true;
    }

    /**
     * {@return the result of an operation on a value and another of its shape, or on each row and a
     * vector}
     */
    static Type broadcast(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type a = inputs.getFirst();
        Type b = inputs.getLast();
        Op.requireFloat("a", a, 0);
        Op.require(a.dtype() == b.dtype(), "element types differ, a is %s, b is %s", a, b);
        boolean vector =
                b.shape().rank() == 1
                        && a.shape().rank() >= 1
                        && b.shape().extent(0).equals(a.shape().extents().getLast());
        Op.require(
                a.shape().equals(b.shape()) || vector,
                "b must be of a's shape or a vector of its last extent, a is %s, b is %s",
                a,
                b);
        return a;
    }
}

package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;
import java.util.List;

/**
 * {@code y = a + b}. a and y are [.., D]; b is of a's shape, or [D] and added to every row. y may
 * be a or b.
 */
public record Add() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        return List.of(Multiply.broadcast(inputs));
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

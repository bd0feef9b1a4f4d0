package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;
import java.util.Collections;
import java.util.List;

/** Deals the columns of x, [.., N], in order to {@code parts} results of [.., N / parts]. */
public record Split(int parts) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 1);
        Type x = inputs.getFirst();
        Op.requireFloat("x", x, 1);
        Op.require(
                parts >= 1 && x.shape().last() % parts == 0,
                "%s can not be split into %d equal parts",
                x,
                parts);
        return Collections.nCopies(parts, x.with(x.shape().withLast(x.shape().last() / parts)));
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}

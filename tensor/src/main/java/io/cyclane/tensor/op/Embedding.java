package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Gathers rows: {@code y[.., :] = table[ids[..], :]}.
 *
 * <p>table is [V, D], ids I32 [..], y is [.., D]. An id outside 0 to V - 1 is an error at run time
 * that names it.
 */
public record Embedding() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type table = inputs.getFirst();
        Type ids = inputs.getLast();
        Op.requireFloat("table", table, 2);
        Op.requireInts("ids", ids);
        Shape rows = table.shape();
        Op.require(
                rows.rank() == 2 && rows.isFixed(),
                "table must be a matrix of fixed extents, is %s",
                table);
        return List.of(table.with(ids.shape().append(rows.extent(1))));
    }
}

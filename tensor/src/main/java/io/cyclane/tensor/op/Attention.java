package io.cyclane.tensor.op;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Bidirectional attention inside each sequence of a ragged batch: for each head, {@code y[p] = sum
 * over q of softmax(scale * query[p] . key[q]) * value[q]}, q running over the positions of p's
 * sequence, those at most {@code window} away if it is above 0.
 *
 * <p>Inputs: query, key, value [T, H K]; offsets I32 [S + 1], where sequence s is rows offsets[s]
 * to offsets[s + 1] - 1. Results: y [T, H K], which may be query; and, {@link Type#accumulated},
 * [T, H], the logarithm of each softmax's sum of exponentials, which a gradient reads. Never T x T
 * in memory. Source: arXiv:1706.03762, section 3.2; tiling arXiv:2205.14135.
 */
public record Attention(int heads, float scale, int window) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 4);
        Type query = inputs.getFirst();
        Op.requireFloat("query", query, 2);
        Op.require(query.shape().rank() == 2, "query must be [tokens, width], is %s", query);
        for (Type other : inputs.subList(1, 3)) {
            Op.require(other.equals(query), "query, key and value differ, %s and %s", query, other);
        }
        sequences(inputs.get(3));
        int width = query.shape().last();
        Op.require(
                heads >= 1 && width % heads == 0,
                "%d columns can not be shared by %d heads",
                width,
                heads);
        Op.require(window >= 0, "a window is 0 (none) or more, not %d", window);
        return List.of(query, query.with(query.shape().withLast(heads)).accumulated());
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return result == 0 && input == 0;
    }

    @Override
    public boolean mayOmit(int result) {
        return result == 1;
    }

    /**
     * {@return the extent of the sequences that these offsets part}
     *
     * @throws io.cyclane.tensor.ShapeException when they are no offsets
     */
    public static Extent.Bounded sequences(Type offsets) {
        Op.requireInts("offsets", offsets);
        Shape shape = offsets.shape();
        if (shape.rank() == 1
                && shape.extent(0) instanceof Extent.Borders(Extent.Bounded sequences)) {
            return sequences;
        }
        Op.require(false, "offsets must be the borders of a bounded extent, are %s", offsets);
        throw new AssertionError();
    }
}

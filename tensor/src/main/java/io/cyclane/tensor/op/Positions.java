package io.cyclane.tensor.op;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * The place of each token in its sequence: {@code y[t] = first + t - offsets[s]} for {@code
 * offsets[s] <= t < offsets[s + 1]}.
 *
 * <p>offsets is I32 [S + 1], from 0 to the count of tokens, never falling; y is I32 [T].
 *
 * @param tokens the extent T of the result
 * @param first the place of a sequence's first token, not negative
 */
public record Positions(Extent.Bounded tokens, int first) implements Op {
    public Positions {
        Op.require(first >= 0, "the first place must not be negative: %s", first);
    }

    /** Places from 0. */
    public Positions(Extent.Bounded tokens) {
        this(tokens, 0);
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 1);
        Attention.sequences(inputs.getFirst());
        return List.of(Type.i32(Shape.of(tokens)));
    }
}

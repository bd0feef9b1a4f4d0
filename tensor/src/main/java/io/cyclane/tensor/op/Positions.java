package io.cyclane.tensor.op;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * The place of each token in its sequence: {@code y[t] = t - offsets[s]} for offsets[s] <= t <
 * offsets[s + 1].
 *
 * <p>offsets is I32 [S + 1], from 0 to the count of tokens, never falling; y is I32 [T].
 *
 * @param tokens the extent T of the result
 */
public record Positions(Extent.Bounded tokens) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 1);
        Attention.sequences(inputs.getFirst());
        return List.of(Type.i32(Shape.of(tokens)));
    }
}

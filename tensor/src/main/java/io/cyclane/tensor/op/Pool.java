package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * One vector per sequence: the mean of its rows, or its first row. A sequence of no tokens gives
 * zeros.
 *
 * <p>Inputs: x [T, D]; offsets I32 [S + 1]. y is [S, D], {@link Type#accumulated}.
 */
public record Pool(Kind kind) implements Op {
    /** Which vector stands for a sequence. */
    public enum Kind {
        /** The mean of all rows. */
        MEAN,
        /** The first row, where BERT puts its {@code [CLS]} token. */
        CLS
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type x = inputs.getFirst();
        Op.requireFloat("x", x, 2);
        Op.require(x.shape().rank() == 2, "x must be [tokens, width], is %s", x);
        return List.of(
                x.with(Shape.of(Attention.sequences(inputs.getLast()), x.shape().extent(1)))
                        .accumulated());
    }
}

package io.cyclane.tensor.op;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * One vector per sequence: the mean of its rows, its first row, or the row that was made of it. A
 * sequence of no tokens gives zeros.
 *
 * <p>Inputs: x [T, D], or [S, D] for {@link Kind#OWN}; offsets I32 [S + 1]. y is [S, D], {@link
 * Type#accumulated}.
 */
public record Pool(Kind kind) implements Op {
    /** Which vector stands for a sequence. */
    public enum Kind {
        /** The mean of all rows. */
        MEAN,
        /** The first row, where BERT puts its {@code [CLS]} token. */
        CLS,
        /**
         * The row of the sequence's own number: x has a row for each sequence already. What is left
         * of {@link #CLS} where first rows were picked before the steps that made x of them, and
         * those steps made something of no tokens.
         */
        OWN
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type x = inputs.getFirst();
        Op.requireFloat("x", x, 2);
        Op.require(x.shape().rank() == 2, "x must be [tokens, width], is %s", x);
        Extent.Bounded sequences = Attention.sequences(inputs.getLast());
        Op.require(
                kind != Kind.OWN || x.shape().extent(0).equals(sequences),
                "x must have a row for each of %s, is %s",
                sequences,
                x);
        return List.of(x.with(Shape.of(sequences, x.shape().extent(1))).accumulated());
    }
}

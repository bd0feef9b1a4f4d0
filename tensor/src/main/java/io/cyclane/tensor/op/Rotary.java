package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Rotary position embedding, half-split form: in each head, for i below K / 2, {@code y[i] = x[i] *
 * cos - x[i + K/2] * sin} and {@code y[i + K/2] = x[i + K/2] * cos + x[i] * sin}, where cos and sin
 * are {@code table[positions[t], i]} and {@code table[positions[t], i + K/2]}.
 *
 * <p>Inputs: x [T, H K], table [P, K], positions I32 [T], each below P. y is [T, H K] and may be x.
 * Source: arXiv:2104.09864, section 3.4.2, with the pairing of GPT-NeoX.
 */
public record Rotary() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 3);
        Type x = inputs.get(0);
        Type table = inputs.get(1);
        Type positions = inputs.get(2);
        Op.requireFloat("x", x, 2);
        Op.requireInts("positions", positions);
        Shape angles = table.shape();
        Op.require(
                angles.rank() == 2 && angles.isFixed() && table.dtype() == x.dtype(),
                "table must be a matrix of x's element type, is %s",
                table);
        int headWidth = angles.last();
        Op.require(
                headWidth % 2 == 0 && x.shape().last() % headWidth == 0,
                "the table's width must be even and divide x's, x is %s, table is %s",
                x,
                table);
        Op.require(
                x.shape().rank() == 2 && positions.shape().equals(x.shape().withoutLast()),
                "positions must be one per row of x, x is %s, positions are %s",
                x,
                positions);
        return List.of(x);
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return input == 0;
    }
}

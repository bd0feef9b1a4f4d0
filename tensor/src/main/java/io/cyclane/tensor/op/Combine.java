package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * The weighted sum of what a row's experts gave: {@code y[t] = sum over j of gates[t, j] * x[t,
 * j]}.
 *
 * <p>Inputs: gates [.., k], {@link Type#accumulated}; x [.., k, F]. y is [.., F].
 *
 * <p>With {@link Route} and {@link ExpertMatMul} it makes routed adapters on a layer's output f
 * (Mixture of Adapters): f plus the combination, with the gates, of {@code w2[e] . gelu(w1[e] .
 * f)}, the adapters' matrices stacked as {@link ExpertMatMul} takes them.
 *
 * <p>Gradient: {@code dgates[t, j] = dy[t] . x[t, j]}, {@code dx[t, j] = gates[t, j] * dy[t]}.
 */
public record Combine() implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type gates = inputs.getFirst();
        Type x = inputs.getLast();
        Op.requireFloat("gates", gates, 1);
        Op.requireFloat("x", x, 2);
        Op.require(
                gates.dtype() == x.dtype().accumulated(),
                "gates must be of the type that x accumulates in, gates are %s, x is %s",
                gates,
                x);
        Shape choices = x.shape().withoutLast();
        Op.require(
                choices.equals(gates.shape()),
                "there must be a row of x for each gate, gates are %s, x is %s",
                gates,
                x);
        return List.of(x.with(choices.withoutLast().append(x.shape().extents().getLast())));
    }

    @Override
    public boolean takesAccumulated(int input) {
        return input == 0;
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}

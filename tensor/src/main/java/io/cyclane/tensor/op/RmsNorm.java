package io.cyclane.tensor.op;

import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Root mean square normalisation: {@code y = x / sqrt(mean of x^2 + eps) * weight} over the last
 * axis.
 *
 * <p>Inputs: x [.., D], weight [D]. y is [.., D] and may be x. Source: arXiv:1910.07467, section 4.
 */
public record RmsNorm(float eps) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, 2);
        Type x = inputs.getFirst();
        Op.requireFloat("x", x, 1);
        LayerNorm.requireVectors(x, inputs);
        return List.of(x);
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return input == 0;
    }

    @Override
    public boolean isRowwise() {
        return true;
    }
}

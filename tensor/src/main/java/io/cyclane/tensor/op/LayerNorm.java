package io.cyclane.tensor.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import java.util.List;

/**
 * Layer normalisation: {@code y = (x - mean) / sqrt(variance + eps) * weight [+ bias]}, mean and
 * (biased) variance over the last axis.
 *
 * <p>Inputs: x [.., D], weight [D], with {@code bias} also bias [D]. y is [.., D] and may be x.
 * Source: arXiv:1607.06450, section 3.
 */
public record LayerNorm(float eps, boolean bias) implements Op {
    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, bias ? 3 : 2);
        Type x = inputs.getFirst();
        Op.requireFloat("x", x, 1);
        requireVectors(x, inputs);
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

    /** Fails unless every input after x is a vector as wide as x. */
    static void requireVectors(Type x, List<Type> inputs) {
        Type wanted = x.with(Shape.of(x.shape().last()));
        for (Type vector : inputs.subList(1, inputs.size())) {
            Op.require(
                    vector.equals(wanted), "weight and bias must be %s, came %s", wanted, vector);
        }
    }
}

package io.cyclane.model.layer;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.program.Recorder;
import java.util.List;
import java.util.Optional;

/**
 * Layer normalisation with its weight and bias.
 *
 * @param weight [D]
 * @param bias [D], if there is one
 */
public record Norm(Parameter weight, Optional<Parameter> bias, float eps) {
    /** {@return a norm with a bias, named as checkpoints do: name.weight, name.bias} */
    public static Norm biased(String name, int width, float eps) {
        return new Norm(
                Parameter.of(name + ".weight", width),
                Optional.of(Parameter.of(name + ".bias", width)),
                eps);
    }

    /** {@return the norm with a bias or without, named likewise} */
    public static Norm of(String name, int width, float eps, boolean hasBias) {
        return hasBias
                ? biased(name, width, eps)
                : new Norm(Parameter.of(name + ".weight", width), Optional.empty(), eps);
    }

    /** Records the norm on x, [.., D]. */
    public Tensor forward(Recorder g, Tensor x) {
        Tensor w = g.parameter(weight);
        LayerNorm norm = new LayerNorm(eps, bias.isPresent());
        return g.apply(
                        norm,
                        bias.map(b -> List.of(x, w, g.parameter(b))).orElseGet(() -> List.of(x, w)))
                .getFirst();
    }
}

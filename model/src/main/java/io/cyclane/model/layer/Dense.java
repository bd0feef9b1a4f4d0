package io.cyclane.model.layer;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Recorder;
import java.util.List;
import java.util.Optional;

/**
 * A dense layer: {@code y = x . weight^T [+ bias]}.
 *
 * @param weight [out, in]
 * @param bias [out], if there is one
 */
public record Dense(Parameter weight, Optional<Parameter> bias) {
    /** {@return a layer with a bias, named as checkpoints do: name.weight, name.bias} */
    public static Dense biased(String name, int in, int out) {
        return new Dense(
                Parameter.of(name + ".weight", out, in),
                Optional.of(Parameter.of(name + ".bias", out)));
    }

    /** {@return the layer with a bias or without, named likewise} */
    public static Dense of(String name, int in, int out, boolean hasBias) {
        return hasBias
                ? biased(name, in, out)
                : new Dense(Parameter.of(name + ".weight", out, in), Optional.empty());
    }

    /**
     * {@return the layer that scores words, without a bias}
     *
     * @param words the table they are embedded with, [V, ..]
     * @param isTied whether it scores them too; else a matrix of its shape does
     * @param own that matrix's name
     */
    public static Dense ofWords(Parameter words, boolean isTied, String own) {
        int rows = words.shape().extent(0).bound();
        int width = words.shape().extent(1).bound();
        return new Dense(isTied ? words : Parameter.of(own, rows, width), Optional.empty());
    }

    /** {@return the same layer with this bias} */
    public Dense with(Parameter other) {
        return new Dense(weight, Optional.of(other));
    }

    /** Records the layer on x, [.., in]. */
    public Tensor forward(Recorder g, Tensor x) {
        return split(g, x, 1).getFirst();
    }

    /** Records the layer on x, its columns dealt to so many results of equal width. */
    public List<Tensor> split(Recorder g, Tensor x, int parts) {
        Linear linear = Linear.plain(bias.isPresent()).into(parts);
        Tensor w = g.parameter(weight);
        return g.apply(
                linear,
                bias.map(b -> List.of(x, w, g.parameter(b))).orElseGet(() -> List.of(x, w)));
    }
}

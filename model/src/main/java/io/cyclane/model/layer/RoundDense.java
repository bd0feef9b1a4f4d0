package io.cyclane.model.layer;

import io.cyclane.model.checkpoint.StackedNames;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Recorder;
import java.util.List;
import java.util.Optional;

/**
 * A dense layer of which every round has its own: {@code y = x . weight[round]^T [+ bias[round]]}.
 *
 * @param weight [N, out, in]
 * @param bias [N, out], if there is one
 */
public record RoundDense(Parameter weight, Optional<Parameter> bias) {
    /**
     * {@return the layers of a group's rounds}
     *
     * @param name with the numbers of rounds as {@link StackedNames} has them
     */
    public static RoundDense of(String name, int rounds, int in, int out, boolean hasBias) {
        return new RoundDense(
                Parameter.of(name + ".weight", rounds, out, in),
                hasBias
                        ? Optional.of(Parameter.of(name + ".bias", rounds, out))
                        : Optional.empty());
    }

    /** Records the layer on x, [.., in]. */
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Tensor w = round.row(weight);
        return g.apply(
                        Linear.plain(bias.isPresent()),
                        bias.map(b -> List.of(x, w, round.row(b))).orElseGet(() -> List.of(x, w)))
                .getFirst();
    }
}

package io.cyclane.model.layer;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.program.Recorder;
import java.util.List;

/**
 * Chooses experts for every token by one linear layer and a softmax, with one weight for all rounds
 * or one for each. What it chose is shown under its name.
 *
 * <p>Source: arXiv:2512.12880, section 3; the choice itself: {@link Route}.
 *
 * @param weight [E, D], or [N, E, D] with a row for each round
 */
public record Router(String name, Parameter weight, Route route) {
    /** What follows the name of a router where its choice is shown: I32 [T, k]. */
    public static final String EXPERTS = " experts";

    /** The same for the gates, [T, k]. */
    public static final String GATES = " gates";

    /** The same for the probabilities of all experts, [T, E]. */
    public static final String PROBABILITIES = " probabilities";

    /**
     * What was chosen for every token.
     *
     * @param experts I32 [T, k]
     * @param gates [T, k]
     */
    public record Choice(Tensor experts, Tensor gates) {}

    /** Records the choice for x, [T, D]. */
    public Choice choose(Recorder g, Tensor x, Round round) {
        boolean isPerRound = weight.shape().rank() == 3;
        Tensor w = isPerRound ? round.row(weight) : g.parameter(weight);
        List<Tensor> routed = g.apply(route, List.of(x, w));
        round.show(name + EXPERTS, routed.get(0));
        round.show(name + GATES, routed.get(1));
        round.show(name + PROBABILITIES, routed.get(2));
        return new Choice(routed.get(0), routed.get(1));
    }
}

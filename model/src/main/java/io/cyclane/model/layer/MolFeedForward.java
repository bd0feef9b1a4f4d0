package io.cyclane.model.layer;

import io.cyclane.model.checkpoint.StackedNames;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.program.Recorder;

/**
 * A gated feed-forward layer with a mixture of LoRAs: every token goes through the layer with the
 * weights of each of its experts, and the results are summed with its gates as factors.
 *
 * <p>Source: arXiv:2512.12880, section 3; the operations, their forms and costs: {@link MolGeGlu}.
 *
 * @param base the weights all experts share; without biases
 * @param a1 [E, R, D]
 * @param b1 [E, 2F, R]
 * @param a2 [E, R, F]
 * @param b2 [E, D, R]
 */
public record MolFeedForward(
        GatedFeedForward base,
        Router router,
        Parameter a1,
        Parameter b1,
        Parameter a2,
        Parameter b2,
        MolGeGlu form)
        implements TokenLayer {

    /**
     * {@return the layer with its checkpoint names: {@code name.experts.0.Wi.lora_A.weight} and so
     * on}
     */
    public static MolFeedForward of(
            String name,
            GatedFeedForward base,
            Router router,
            int experts,
            int rank,
            MolGeGlu form) {
        int width = base.out().weight().shape().extent(0).bound();
        int hidden = base.out().weight().shape().last();
        String each = name + ".experts." + StackedNames.numbers(0, experts, 1);
        return new MolFeedForward(
                base,
                router,
                Parameter.of(each + ".Wi.lora_A.weight", experts, rank, width),
                Parameter.of(each + ".Wi.lora_B.weight", experts, 2 * hidden, rank),
                Parameter.of(each + ".Wo.lora_A.weight", experts, rank, hidden),
                Parameter.of(each + ".Wo.lora_B.weight", experts, width, rank),
                form);
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Router.Choice choice = router.choose(g, x, round);
        return g.first(
                form,
                x,
                choice.experts(),
                choice.gates(),
                g.parameter(base.in().weight()),
                g.parameter(base.out().weight()),
                g.parameter(a1),
                g.parameter(b1),
                g.parameter(a2),
                g.parameter(b2));
    }
}

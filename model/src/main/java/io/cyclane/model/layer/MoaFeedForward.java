package io.cyclane.model.layer;

import io.cyclane.model.checkpoint.StackedNames;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Combine;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.program.Recorder;

/**
 * A gated feed-forward layer with a mixture of adapters on its result: {@code f + sum over a
 * token's experts i of gate_i * up_i . gelu(down_i . f)}, where {@code f = base(x)}.
 *
 * <p>The router reads x, as that of a mixture of LoRAs does. Source: arXiv:2512.12880, as the kin
 * it compares itself with; the formula is our reading.
 *
 * @param down [E, A, D]
 * @param up [E, D, A]
 */
public record MoaFeedForward(GatedFeedForward base, Router router, Parameter down, Parameter up)
        implements TokenLayer {
    private static final ExpertMatMul PRODUCT = new ExpertMatMul(1, false);

    /** {@return the layer with its checkpoint names: {@code name.experts.0.down.weight}, up} */
    public static MoaFeedForward of(
            String name, GatedFeedForward base, Router router, int experts, int bottleneck) {
        int width = base.out().weight().shape().extent(0).bound();
        String each = name + ".experts." + StackedNames.numbers(0, experts, 1);
        return new MoaFeedForward(
                base,
                router,
                Parameter.of(each + ".down.weight", experts, bottleneck, width),
                Parameter.of(each + ".up.weight", experts, width, bottleneck));
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Router.Choice choice = router.choose(g, x, round);
        Tensor f = base.forward(g, x, round);
        Tensor narrow = g.first(PRODUCT, f, choice.experts(), g.parameter(down));
        Tensor bent = g.activate(narrow, Activation.GELU);
        Tensor each = g.first(PRODUCT, bent, choice.experts(), g.parameter(up));
        return g.add(g.first(new Combine(), choice.gates(), each), f);
    }
}

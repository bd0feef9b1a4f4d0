package io.cyclane.model.layer;

import io.cyclane.model.checkpoint.StackedNames;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.program.Recorder;
import java.util.List;

/**
 * A bottleneck of which every round has its own: {@code LN(x + up(gelu(down(x))))}.
 *
 * <p>Source: MiniALBERT, github.com/nlpie-research/MiniALBERT, {@code minialbert_modeling.py}.
 *
 * @param normWeight [N, D]
 * @param normBias [N, D]
 */
public record Adapter(
        RoundDense down, RoundDense up, Parameter normWeight, Parameter normBias, float eps)
        implements TokenLayer {
    /**
     * {@return the adapters of a group's rounds}
     *
     * @param name with the numbers of rounds as {@link StackedNames} has them
     */
    public static Adapter of(String name, int rounds, int width, int bottleneck, float eps) {
        return new Adapter(
                RoundDense.of(name + ".down", rounds, width, bottleneck, true),
                RoundDense.of(name + ".up", rounds, bottleneck, width, true),
                Parameter.of(name + ".norm.weight", rounds, width),
                Parameter.of(name + ".norm.bias", rounds, width),
                eps);
    }

    @Override
    public Tensor forward(Recorder g, Tensor x, Round round) {
        Tensor narrow = g.activate(down.forward(g, x, round), Activation.GELU);
        Tensor sum = g.add(up.forward(g, narrow, round), x);
        List<Tensor> inputs = List.of(sum, round.row(normWeight), round.row(normBias));
        return g.apply(new LayerNorm(eps, true), inputs).getFirst();
    }
}

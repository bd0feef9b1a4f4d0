package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins a dense layer with what follows it where nobody else reads what lies between: a function, a
 * gate, the addition of a residual; and a mixture of low-rank updates with its residual. A kernel
 * then does them on the tile it has just computed.
 */
public final class LinearFusion extends Fusion {
    private LinearFusion(Program program) {
        super(program);
    }

    /**
     * {@return the program with its dense layers joined with what follows them} The results' bits
     * may differ: fewer roundings.
     */
    public static Program of(Program program) {
        return new LinearFusion(program).fused();
    }

    @Override
    Step.@Nullable Apply joined(Step.Apply step, List<Step> before) {
        for (int input = 0; input < step.inputs().size(); input++) {
            Step.Apply mixture = mixtureWithResidual(step, input, before);
            if (mixture != null) {
                return mixture;
            }
            Step.Apply layer = layerOf(step.inputs().get(input), before);
            if (layer == null) {
                continue;
            }
            Linear linear = (Linear) layer.op();
            List<Tensor> inputs = new ArrayList<>(layer.inputs());
            Linear longer = null;
            if (step.op() instanceof Activate activate && isPlain(linear)) {
                longer = linear.then(activate.function());
            } else if (step.op() instanceof Glu glu && isPlain(linear)) {
                longer = linear.thenGate(glu.function());
            } else if (step.op() instanceof Add && !linear.residual()) {
                Tensor other = step.inputs().get(1 - input);
                if (other.type().equals(layer.results().getFirst().type())) {
                    longer = linear.plusResidual();
                    inputs.add(other);
                }
            }
            if (longer != null) {
                Reads.remove(layer, before);
                note(layer.results().getFirst().name(), step.op().label());
                return new Step.Apply(longer, inputs, step.results(), 0);
            }
        }
        return null;
    }

    /** The step, an addition to a mixture, joined with the mixture that is its input; or null. */
    private Step.@Nullable Apply mixtureWithResidual(
            Step.Apply step, int input, List<Step> before) {
        if (!(step.op() instanceof Add)) {
            return null;
        }
        Step.Apply source = reads.soleSource(step.inputs().get(input), before);
        Tensor other = step.inputs().get(1 - input);
        if (source == null
                || !(source.op() instanceof MolGeGlu mol)
                || mol.residual()
                || !other.type().equals(source.results().getFirst().type())) {
            return null;
        }
        List<Tensor> inputs = new ArrayList<>(source.inputs());
        inputs.add(other);
        Reads.remove(source, before);
        note(source.results().getFirst().name(), step.op().label());
        return new Step.Apply(mol.plusResidual(), inputs, step.results(), 0);
    }

    private static boolean isPlain(Linear linear) {
        return linear.function() == Activation.IDENTITY && !linear.gated() && !linear.residual();
    }

    private Step.@Nullable Apply layerOf(Tensor value, List<Step> before) {
        Step.Apply step = reads.soleSource(value, before);
        return step != null && step.op() instanceof Linear linear && linear.parts() == 1
                ? step
                : null;
    }
}

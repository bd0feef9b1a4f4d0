package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.Linear;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins two dense layers where only the second reads what the first computes, so that a kernel can
 * do without the whole of it. To run after {@link LinearFusion}. The bits stay the same.
 */
public final class FeedForwardFusion extends Fusion {
    private FeedForwardFusion(Program program) {
        super(program);
    }

    /** {@return the program with such layers joined} */
    public static Program of(Program program) {
        return new FeedForwardFusion(program).fused();
    }

    @Override
    Step.@Nullable Apply joined(Step.Apply step, List<Step> before) {
        if (!(step.op() instanceof Linear second)) {
            return null;
        }
        Step.Apply source = reads.soleSource(step.inputs().getFirst(), before);
        if (source == null
                || !(source.op() instanceof Linear first)
                || first.parts() > 1
                || first.residual()) {
            return null;
        }
        Reads.remove(source, before);
        List<Tensor> inputs = new ArrayList<>(source.inputs());
        inputs.addAll(step.inputs().subList(1, step.inputs().size()));
        note(
                source.results().getFirst().name(),
                step.results().getFirst().name() + ", a block of rows at a time");
        return new Step.Apply(new FeedForward(first, second), inputs, step.results(), 0);
    }
}

package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.Op;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins dense layers with the norm of what they read, and with the norm of what they give, where
 * nobody else reads what lies between: normed rows then never exist as a whole. To run after {@link
 * FeedForwardFusion}. The bits stay the same.
 */
public final class NormFusion extends Fusion {
    private NormFusion(Program program) {
        super(program);
    }

    /** {@return the program with norms joined with the layers beside them} */
    public static Program of(Program program) {
        return new NormFusion(program).fused();
    }

    @Override
    Step.@Nullable Apply joined(Step.Apply step, List<Step> before) {
        boolean isNorm = Normed.isNorm(step.op());
        if (!isNorm && !isBody(step.op())) {
            return null;
        }
        Step.Apply source = reads.soleSource(step.inputs().getFirst(), before);
        if (source == null) {
            return null;
        }
        Step.Apply joined = isNorm ? normAfter(source, step) : normBefore(source, step);
        if (joined != null) {
            Reads.remove(source, before);
            note(
                    source.results().getFirst().name(),
                    step.results().getFirst().name() + ", a block of rows at a time");
        }
        return joined;
    }

    private static boolean isBody(Op op) {
        return op instanceof Linear || op instanceof FeedForward;
    }

    private static Step.@Nullable Apply normBefore(Step.Apply norm, Step.Apply layers) {
        if (!Normed.isNorm(norm.op())) {
            return null;
        }
        List<Tensor> inputs = new ArrayList<>(layers.inputs());
        inputs.set(0, norm.inputs().getFirst());
        inputs.addAll(norm.inputs().subList(1, norm.inputs().size()));
        Normed normed = new Normed((Op.Composite) layers.op(), norm.op(), null);
        return new Step.Apply(normed, inputs, layers.results(), 0);
    }

    private static Step.@Nullable Apply normAfter(Step.Apply layers, Step.Apply norm) {
        Normed normed;
        if (layers.op() instanceof Normed bare && bare.after() == null) {
            normed = new Normed(bare.body(), bare.before(), norm.op());
        } else if (isBody(layers.op())) {
            normed = new Normed((Op.Composite) layers.op(), null, norm.op());
        } else {
            return null;
        }
        if (layers.results().size() > 1) {
            return null;
        }
        List<Tensor> inputs = new ArrayList<>(layers.inputs());
        inputs.addAll(norm.inputs().subList(1, norm.inputs().size()));
        return new Step.Apply(normed, inputs, norm.results(), 0);
    }
}

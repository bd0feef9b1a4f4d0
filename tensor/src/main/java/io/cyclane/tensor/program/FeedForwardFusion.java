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
public final class FeedForwardFusion {
    private final Reads reads;
    private final List<String> notes;

    private FeedForwardFusion(Program program) {
        reads = Reads.of(program);
        notes = new ArrayList<>(program.notes());
    }

    /** {@return the program with such layers joined} */
    public static Program of(Program program) {
        FeedForwardFusion fusion = new FeedForwardFusion(program);
        List<Step> steps = fusion.block(program.steps());
        return program.with(steps, fusion.notes);
    }

    private List<Step> block(List<Step> steps) {
        List<Step> fused = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    Step.Apply first = firstOf(apply, fused);
                    if (first == null) {
                        fused.add(apply);
                    } else {
                        Reads.remove(first, fused);
                        fused.add(joined(first, apply));
                    }
                }
                case Step.Update update -> fused.add(update);
                case Step.Repeat repeat -> fused.add(repeat.with(block(repeat.body())));
            }
        }
        return fused;
    }

    private Step.@Nullable Apply firstOf(Step.Apply step, List<Step> before) {
        if (!(step.op() instanceof Linear)) {
            return null;
        }
        Step.Apply source = reads.soleSource(step.inputs().getFirst(), before);
        return source != null
                        && source.op() instanceof Linear first
                        && first.parts() == 1
                        && !first.residual()
                ? source
                : null;
    }

    private Step.Apply joined(Step.Apply first, Step.Apply second) {
        List<Tensor> inputs = new ArrayList<>(first.inputs());
        inputs.addAll(second.inputs().subList(1, second.inputs().size()));
        String names =
                first.results().getFirst().name() + ", " + second.results().getFirst().name();
        notes.add("fused: " + names + ", a block of rows at a time");
        FeedForward both = new FeedForward((Linear) first.op(), (Linear) second.op());
        return new Step.Apply(both, inputs, second.results(), 0);
    }
}

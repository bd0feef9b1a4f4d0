package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.Linear;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins a dense layer with what follows it where nobody else reads what lies between: a function, a
 * gate, the addition of a residual. A kernel then does them on the tile it has just computed.
 */
public final class LinearFusion {
    private final Reads reads;
    private final List<String> notes;

    private LinearFusion(Program program) {
        notes = new ArrayList<>(program.notes());
        reads = Reads.of(program);
    }

    /**
     * {@return the program with its dense layers joined with what follows them} The results' bits
     * may differ: fewer roundings.
     */
    public static Program of(Program program) {
        LinearFusion fusion = new LinearFusion(program);
        List<Step> steps = fusion.block(program.steps());
        return program.with(steps, fusion.notes);
    }

    private List<Step> block(List<Step> steps) {
        List<Step> fused = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    Step.Apply joined = joined(apply, fused);
                    fused.add(joined == null ? apply : joined);
                }
                case Step.Update update -> fused.add(update);
                case Step.Repeat repeat -> fused.add(repeat.with(block(repeat.body())));
            }
        }
        return fused;
    }

    /**
     * The step joined with a layer before it, which is then taken out of {@code before}; or null.
     * The joined step stands where the later one stood, so an update in between, which could change
     * what the layer reads, forbids it.
     */
    private Step.@Nullable Apply joined(Step.Apply step, List<Step> before) {
        for (int input = 0; input < step.inputs().size(); input++) {
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
                before.remove(layer);
                notes.add("fused: " + layer.results().getFirst().name() + ", " + step.op());
                return new Step.Apply(longer, inputs, step.results(), 0);
            }
        }
        return null;
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

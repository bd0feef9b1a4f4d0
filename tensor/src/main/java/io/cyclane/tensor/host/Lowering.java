package io.cyclane.tensor.host;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Turns a program into one that a set of kernels runs: every operation without a kernel is replaced
 * by what it stands for, and every step states its scratch.
 */
public final class Lowering {
    private final OpSet kernels;
    private final Set<Tensor> weights;
    private final Set<String> notes = new LinkedHashSet<>();
    private int nextId;

    private Lowering(OpSet kernels, Program program) {
        this.kernels = kernels;
        this.weights = new LinkedHashSet<>(program.parameters().keySet());
        notes.addAll(program.notes());
        nextId = program.nextId();
        look(program.steps());
    }

    /**
     * {@return the program as these kernels run it}
     *
     * @throws BackendException when an operation has neither kernel nor expansion
     */
    public static Program lower(Program program, OpSet kernels) {
        Program prepared = kernels.prepare(program);
        Lowering lowering = new Lowering(kernels, prepared);
        List<Step> steps = lowering.block(prepared.steps());
        return prepared.with(steps, List.copyOf(lowering.notes));
    }

    /** Learns which rows are rows of parameters. */
    private void look(List<Step> steps) {
        for (Step step : steps) {
            if (step instanceof Step.Repeat repeat) {
                for (Step.Row row : repeat.rows()) {
                    if (weights.contains(row.stacked())) {
                        weights.add(row.row());
                    }
                }
                look(repeat.body());
            }
        }
    }

    private List<Step> block(List<Step> steps) {
        List<Step> lowered = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> apply(apply, lowered);
                case Step.Update update -> lowered.add(update);
                case Step.Repeat repeat -> lowered.add(repeat.with(block(repeat.body())));
            }
        }
        return lowered;
    }

    private void apply(Step.Apply apply, List<Step> lowered) {
        List<Type> types = apply.inputs().stream().map(Tensor::type).toList();
        IntPredicate isWeight = input -> weights.contains(apply.inputs().get(input));
        if (kernels.has(apply.op(), types, isWeight)) {
            long scratch = kernels.scratchBytes(apply.op(), types);
            lowered.add(new Step.Apply(apply.op(), apply.inputs(), apply.results(), scratch));
            return;
        }
        if (!(apply.op() instanceof Op.Composite composite)) {
            throw new BackendException(
                    "backend '%s' has no kernel for %s of %s, and nothing simpler stands for it"
                            .formatted(kernels.name(), apply.op(), types));
        }
        notes.add("expanded: " + apply.op());
        for (Step.Apply simpler : expand(composite, apply)) {
            apply(simpler, lowered);
        }
    }

    /**
     * The expansion's steps; what comes out last is written to the results that others already
     * read.
     */
    private List<Step.Apply> expand(Op.Composite composite, Step.Apply apply) {
        List<Step.Apply> steps = new ArrayList<>();
        List<Tensor> last =
                composite.expand(
                        (op, inputs) -> {
                            List<Type> types = op.infer(inputs.stream().map(Tensor::type).toList());
                            List<Tensor> results =
                                    types.stream()
                                            .map(type -> new Tensor(nextId++, op.label(), type))
                                            .toList();
                            steps.add(new Step.Apply(op, inputs, results, 0));
                            return results;
                        },
                        apply.inputs());
        Map<Tensor, Tensor> own = new HashMap<>();
        for (int i = 0; i < last.size(); i++) {
            own.put(last.get(i), apply.results().get(i));
        }
        return steps.stream()
                .map(step ->
                        new Step.Apply(
                                step.op(),
                                renamed(step.inputs(), own),
                                renamed(step.results(), own),
                                0))
                .toList();
    }

    private static List<Tensor> renamed(List<Tensor> tensors, Map<Tensor, Tensor> names) {
        return tensors.stream().map(tensor -> names.getOrDefault(tensor, tensor)).toList();
    }
}

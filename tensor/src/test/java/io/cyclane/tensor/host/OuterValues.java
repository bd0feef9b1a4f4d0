package io.cyclane.tensor.host;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Looks for a body that writes over a value made outside it which it reads. No lifetimes: whatever
 * is written anywhere in a body must miss whatever of outside is read anywhere in it.
 */
final class OuterValues {
    private final MemoryPlan plan;
    private final Map<Tensor, Tensor> stackedOf = new HashMap<>();

    OuterValues(MemoryPlan plan) {
        this.plan = plan;
    }

    /** {@return the first such write, in words} */
    Optional<String> overwritten(Program program) {
        return inLoops(program.steps());
    }

    private Optional<String> inLoops(List<Step> steps) {
        for (Step step : steps) {
            if (step instanceof Step.Repeat repeat) {
                repeat.rows().forEach(row -> stackedOf.put(row.row(), row.stacked()));
                Optional<String> fault = overwritten(repeat).or(() -> inLoops(repeat.body()));
                if (fault.isPresent()) {
                    return fault;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<String> overwritten(Step.Repeat repeat) {
        Set<Tensor> made = new HashSet<>();
        Set<Tensor> read = new HashSet<>();
        List<Slot> written = new ArrayList<>();
        made.add(repeat.round());
        repeat.carries().forEach(carry -> made.add(carry.inside()));
        repeat.carries().forEach(carry -> written.add(plan.slot(carry.inside())));
        repeat.rows().forEach(row -> read.add(row.stacked()));
        body(repeat.body(), made, read, written);
        read.removeAll(made);
        for (Tensor outer : read) {
            if (!plan.has(outer)) {
                continue;
            }
            for (Slot slot : written) {
                Slot kept = plan.slot(outer);
                if (slot.offset() < kept.offset() + kept.length()
                        && kept.offset() < slot.offset() + slot.length()) {
                    return Optional.of(outer + " is written over at " + slot);
                }
            }
        }
        return Optional.empty();
    }

    private void body(List<Step> steps, Set<Tensor> made, Set<Tensor> read, List<Slot> written) {
        for (Step step : steps) {
            made.addAll(Step.written(step));
            Step.written(step).stream().filter(plan::has).map(plan::slot).forEach(written::add);
            switch (step) {
                case Step.Apply apply -> {
                    apply.inputs().forEach(input -> read.add(base(input)));
                    plan.scratch(apply).ifPresent(written::add);
                }
                case Step.Update update -> read.add(base(update.value()));
                case Step.Repeat inner -> {
                    made.add(inner.round());
                    inner.carries().forEach(carry -> made.add(carry.inside()));
                    inner.carries().forEach(carry -> read.add(base(carry.start())));
                    inner.carries().forEach(carry -> read.add(base(carry.end())));
                    inner.rows().forEach(row -> stackedOf.put(row.row(), row.stacked()));
                    inner.rows().forEach(row -> read.add(base(row.stacked())));
                    body(inner.body(), made, read, written);
                }
            }
        }
    }

    private Tensor base(Tensor tensor) {
        Tensor base = tensor;
        while (stackedOf.containsKey(base)) {
            base = stackedOf.get(base);
        }
        return base;
    }
}

package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Removes the steps whose values nobody reads. Operations are pure, so nothing else changes. */
final class DeadSteps {
    private final Set<Tensor> read;

    private DeadSteps(Collection<Tensor> outputs) {
        this.read = new HashSet<>(outputs);
    }

    /** {@return the steps that outputs or updates need, in order} */
    static List<Step> removed(List<Step> steps, Collection<Tensor> outputs) {
        return new DeadSteps(outputs).block(steps);
    }

    private List<Step> block(List<Step> steps) {
        List<Step> live = new ArrayList<>();
        for (Step step : steps.reversed()) {
            switch (step) {
                case Step.Apply apply -> {
                    if (isRead(apply.results())) {
                        read.addAll(apply.inputs());
                        live.add(apply);
                    }
                }
                case Step.Update update -> {
                    read.add(update.value());
                    live.add(update);
                }
                case Step.Repeat repeat -> {
                    if (isRead(Step.written(repeat)) || updates(repeat.body())) {
                        live.add(repeat(repeat));
                    }
                }
            }
        }
        return live.reversed();
    }

    /**
     * A loop that is needed keeps the carries that are read, after it or by a step it keeps, and
     * drops the others with unread collections and rows. One carry stays, since a loop has one.
     */
    private Step.Repeat repeat(Step.Repeat repeat) {
        List<Step.Collected> collected =
                repeat.collected().stream().filter(kept -> read.contains(kept.stacked())).toList();
        collected.forEach(kept -> read.add(kept.each()));
        List<Step.Carry> carries = List.of();
        List<Step> body = block(repeat.body());
        for (int before = -1; before < carries.size(); ) {
            before = carries.size();
            carries = repeat.carries().stream().filter(this::isNeeded).toList();
            carries.forEach(carry -> read.add(carry.end()));
            body = block(repeat.body());
        }
        if (carries.isEmpty()) {
            Step.Carry any = repeat.carries().getFirst();
            carries =
                    List.of(new Step.Carry(any.start(), any.inside(), any.inside(), any.result()));
        }
        List<Step.Row> rows =
                repeat.rows().stream().filter(row -> read.contains(row.row())).toList();
        carries.forEach(carry -> read.add(carry.start()));
        rows.forEach(row -> read.add(row.stacked()));
        return new Step.Repeat(repeat.rounds(), repeat.round(), carries, rows, collected, body);
    }

    private boolean isNeeded(Step.Carry carry) {
        return read.contains(carry.result()) || read.contains(carry.inside());
    }

    private boolean isRead(List<Tensor> values) {
        return values.stream().anyMatch(read::contains);
    }

    private static boolean updates(List<Step> steps) {
        return steps.stream()
                .anyMatch(step ->
                        step instanceof Step.Update
                                || step instanceof Step.Repeat r && updates(r.body()));
    }
}

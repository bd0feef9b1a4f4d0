package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** A plan to be spoilt: its slots can be moved, as a planner with a fault would have them. */
public final class Mutant {
    private final Program program;
    private final MemoryPlan plan;
    private final Map<Tensor, Slot> slots = new HashMap<>();
    private final Map<Step.Apply, Slot> scratch = new IdentityHashMap<>();
    private final List<Tensor> planned = new ArrayList<>();

    public Mutant(Program program, MemoryPlan plan) {
        this.program = program;
        this.plan = plan;
        block(program.steps());
    }

    /** {@return the values that have a slot, in the order of the program} */
    public List<Tensor> planned() {
        return planned;
    }

    /** Lays a value where another lies, as far as its slot and the arena allow. */
    public Mutant moveOnto(Tensor moved, Tensor target) {
        Slot slot = slots.get(moved);
        return moveTo(
                moved, Math.min(slots.get(target).offset(), plan.arenaBytes() - slot.length()));
    }

    /** Lays a value at an offset. */
    public Mutant moveTo(Tensor moved, long offset) {
        Slot slot = slots.get(moved);
        slots.put(moved, new Slot(offset, slot.length(), slot.bytesPerRound()));
        return this;
    }

    /** Lays a step's scratch where a value lies. */
    public Mutant moveScratch(Step.Apply step, Tensor target) {
        scratch.put(step, new Slot(slots.get(target).offset(), scratch.get(step).length()));
        return this;
    }

    /** {@return the spoilt plan} */
    public MemoryPlan plan() {
        return new MemoryPlan(
                program,
                PlanOptions.DEFAULT,
                slots,
                scratch,
                plan.stashes(),
                plan.arenaBytes(),
                plan.totalBytes());
    }

    private void block(List<Step> steps) {
        for (Step step : steps) {
            Step.written(step).forEach(this::keep);
            if (step instanceof Step.Apply apply) {
                plan.scratch(apply).ifPresent(slot -> scratch.put(apply, slot));
            }
            if (step instanceof Step.Repeat repeat) {
                keep(repeat.round());
                repeat.carries().forEach(carry -> keep(carry.inside()));
                block(repeat.body());
            }
        }
    }

    private void keep(Tensor tensor) {
        if (plan.has(tensor)) {
            slots.put(tensor, plan.slot(tensor));
            planned.add(tensor);
        }
    }
}

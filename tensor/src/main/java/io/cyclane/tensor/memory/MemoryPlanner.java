package io.cyclane.tensor.memory;

import io.cyclane.tensor.program.Program;

/** Gives every value of a program its place in memory before the program first runs. */
public interface MemoryPlanner {
    /**
     * Reads the program and nothing else: no device, no allocation, no clock.
     *
     * @throws PlanTooLarge naming the peak step and its live values, when the budget can not be met
     */
    MemoryPlan plan(Program program, PlanOptions options);

    /**
     * {@return the planner for production: one round's memory serves all rounds, and values share
     * what they can}
     */
    static MemoryPlanner shared() {
        return new ArenaPlanner(true);
    }

    /**
     * {@return the planner for debugging: every value has memory of its own, so that any of them
     * can be looked at after a run, and a fault of sharing shows as a difference between the two
     * plans' results}
     */
    static MemoryPlanner separate() {
        return new ArenaPlanner(false);
    }
}

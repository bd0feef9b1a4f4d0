package io.cyclane.model;

import io.cyclane.tensor.memory.PlanMap;
import java.util.List;

/**
 * The memory that runs of one capacity take, worked out without loading a weight.
 *
 * @param arenaBytes values, scratch and outputs of one session
 * @param lowerBoundBytes what no plan can be below
 * @param residentWeightBytes weights in every layout they are held in
 * @param rounds how often the most repeated group is applied
 * @param explanation sizes, live values at the peak, copies and passes, for people
 * @param freshBytes what all values would take in a buffer of their own each, in each round
 * @param groups the same story for each group by itself
 * @param map what lies where, step by step
 */
public record PlanReport(
        long arenaBytes,
        long lowerBoundBytes,
        long residentWeightBytes,
        int rounds,
        String explanation,
        long freshBytes,
        List<GroupPlan> groups,
        PlanMap map) {
    public PlanReport {
        groups = List.copyOf(groups);
    }

    /** {@return the weights of the groups if every round had weights of its own} */
    public long unrolledWeightBytes() {
        return residentWeightBytes
                + groups.stream().mapToLong(g -> g.unrolledWeightBytes() - g.weightBytes()).sum();
    }
}

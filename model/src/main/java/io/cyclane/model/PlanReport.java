package io.cyclane.model;

/**
 * The memory that runs of one capacity take, worked out without loading a weight.
 *
 * @param arenaBytes values, scratch and outputs of one session
 * @param lowerBoundBytes what no plan can be below
 * @param residentWeightBytes weights in every layout they are held in
 * @param rounds how often the most repeated group is applied
 * @param explanation sizes, live values at the peak, copies and passes, for people
 */
public record PlanReport(
        long arenaBytes,
        long lowerBoundBytes,
        long residentWeightBytes,
        int rounds,
        String explanation) {}

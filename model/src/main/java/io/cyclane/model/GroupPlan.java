package io.cyclane.model;

/**
 * The memory that one group of weights takes, run on its own at a capacity.
 *
 * @param rounds how often it is applied
 * @param repeats how many loops of the program that takes: 1 where its rounds are all the same
 * @param arenaBytes what its bodies take: the carry, values, scratch; the same for any rounds
 * @param floorBytes what no plan of it can be below
 * @param carryBytes what one round hands the next, part of the arena
 * @param weightBytes its packed weights, each once, and tables
 * @param tableBytes tables among them that follow from the configuration, as of angles: groups
 *     share these
 * @param unrolledWeightBytes the same if every round had its own of those that rounds share, but
 *     for tables
 * @param freshBytes what its values would take in a buffer of their own each, in each round
 */
public record GroupPlan(
        int rounds,
        int repeats,
        long arenaBytes,
        long floorBytes,
        long carryBytes,
        long weightBytes,
        long tableBytes,
        long unrolledWeightBytes,
        long freshBytes) {}

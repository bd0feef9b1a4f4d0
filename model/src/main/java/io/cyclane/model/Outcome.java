package io.cyclane.model;

import java.util.List;
import java.util.function.Function;

/**
 * What a call gave.
 *
 * @param results one per text or pair, in the order they were given
 * @param tokens how many tokens of each were read, special ones counted
 * @param truncated how many were longer than the model reads and were cut
 * @param chunked how many were longer and were read in parts
 * @param backend where it ran
 */
public record Outcome<T>(
        List<T> results, int[] tokens, int truncated, int chunked, String backend) {
    public Outcome {
        results = List.copyOf(results);
    }

    /** {@return this, each result made into another} */
    <R> Outcome<R> map(Function<T, R> change) {
        return new Outcome<>(
                results.stream().map(change).toList(), tokens, truncated, chunked, backend);
    }
}

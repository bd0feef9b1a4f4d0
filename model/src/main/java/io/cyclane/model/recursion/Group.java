package io.cyclane.model.recursion;

import io.cyclane.model.layer.Block;
import java.util.List;

/**
 * One set of weights, applied one or more times in a row.
 *
 * @param stretches its rounds in order; several where rounds do not all do the same, such as see as
 *     far
 */
public record Group(List<Stretch> stretches) {
    /**
     * Rounds, one after the other, that are the same but for their rows: a repeat in the program.
     *
     * @param block the layer, or layers in a row, that a round consists of
     * @param rounds how often; 1 is a plain layer
     */
    public record Stretch(Block block, int rounds) {}

    public Group {
        stretches = List.copyOf(stretches);
    }

    /** A group whose rounds are all the same. */
    public Group(Block block, int rounds) {
        this(List.of(new Stretch(block, rounds)));
    }

    /** {@return how often its weights are applied} */
    public int rounds() {
        return stretches.stream().mapToInt(Stretch::rounds).sum();
    }
}

package io.cyclane.gpu.experts;

import io.cyclane.gpu.launch.Argument.Address;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.InputException;
import java.util.List;

/**
 * Choices grouped by expert, in scratch: tables as {@code groups.cuh} has them.
 *
 * @param scratch where the tables lie, {@link #bytes} long
 * @param choices how many there are
 */
record Groups(Operand scratch, Count choices, int experts) {
    /** Choices of a tile, as {@code groups.cuh} has them. */
    private static final int ROWS = 64;

    /** Two tables of firsts, the order, and for each block of choices the sizes of its groups. */
    static long bytes(long mostChoices, int experts) {
        int threads = Entry.GROUP_COUNT_I32.threads();
        long blocks = (mostChoices + threads - 1) / threads;
        return Integer.BYTES
                * (2L * (experts + 2) + mostChoices + Math.max(blocks, 1) * (experts + 1));
    }

    /** {@return the bytes of the tables for choices of this shape} */
    static long bytes(Shape choices, int experts) {
        return bytes(choices.elements(), experts);
    }

    /** {@return the cell in which a choice of no expert is reported} */
    static Address fault(Operands to, int experts) {
        return to.fault(
                (choice, expert) -> InputException.rowOutside("expert", expert, choice, experts));
    }

    /** {@return the launches that fill the tables; a choice of no expert is reported} */
    List<Launch> launches(Operand chosen, Address fault) {
        int blocks = Math.max(1, Launch.ceil(choices.bound(), Entry.GROUP_COUNT_I32.threads()));
        Int most = new Int(choices.bound());
        return List.of(
                Launch.blocks(
                        Entry.GROUP_COUNT_I32,
                        blocks,
                        chosen,
                        scratch,
                        choices,
                        most,
                        new Int(experts),
                        fault),
                Launch.blocks(
                        Entry.GROUP_PLACE_I32,
                        blocks,
                        chosen,
                        scratch,
                        choices,
                        most,
                        new Int(experts)));
    }

    /**
     * {@return how many tiles there can be: each group, of none too, may end in one that is not
     * full}
     */
    int mostTiles() {
        return Math.max(1, choices.bound() / ROWS + Math.min(experts + 1, choices.bound()));
    }
}

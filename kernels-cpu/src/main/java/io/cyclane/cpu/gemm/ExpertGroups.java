package io.cyclane.cpu.gemm;

import static io.cyclane.cpu.gemm.LeftBlock.FLOAT;

import io.cyclane.cpu.experts.Choices;
import io.cyclane.tensor.host.Place;
import java.util.Arrays;

/**
 * The choices of a block of rows in the order of their experts, so that tiles run over choices of
 * the same one; choices of one expert keep their order. Each expert's group is filled up to a count
 * that tiles cover without running over its end.
 *
 * <p>A row's place among others never changes its bits: every sum is a chain of its own.
 */
final class ExpertGroups {
    private final int experts;
    private final int choices;
    private final int[] starts;
    private final int[] next;
    private final int[] rows;
    private final float[] gates;

    /** Groups for at most so many rows. */
    ExpertGroups(int experts, int choices, int mostRows) {
        this.experts = experts;
        this.choices = choices;
        starts = new int[experts + 1];
        next = new int[experts];
        rows = new int[most(experts, choices, mostRows)];
        gates = new float[rows.length];
    }

    /** {@return the most choices that groups may have, with what fills them up} */
    static int most(int experts, int choices, int mostRows) {
        // One alone is filled up with three more.
        return mostRows * choices + 3 * Math.min(experts, mostRows * choices);
    }

    /** Groups the choices of rows {@code firstRow} and on. */
    void group(Place chosen, Place weights, int firstRow, int count) {
        int all = count * choices;
        int from = firstRow * choices;
        Arrays.fill(next, 0);
        for (int i = 0; i < all; i++) {
            next[Choices.expert(chosen, from + i)]++;
        }
        int end = 0;
        for (int expert = 0; expert < experts; expert++) {
            starts[expert] = end;
            end += Tiles.covering(next[expert]);
            next[expert] = starts[expert];
        }
        starts[experts] = end;
        Arrays.fill(rows, 0, end, count);
        Arrays.fill(gates, 0, end, 0f);
        for (int i = 0; i < all; i++) {
            int position = next[Choices.expert(chosen, from + i)]++;
            rows[position] = i / choices;
            gates[position] = weights.segment().get(FLOAT, weights.offset() + 4L * (from + i));
        }
    }

    /** {@return the choices of all groups, with what fills them up} */
    int size() {
        return starts[experts];
    }

    /** {@return where an expert's group begins; that of the last but one ends the last} */
    int start(int expert) {
        return starts[expert];
    }

    /**
     * {@return the row of the block of each choice} Where a group is filled up it is the one after
     * the last, which is slack.
     */
    int[] rows() {
        return rows;
    }

    /** {@return the gate of each choice, 0 where a group is filled up} */
    float[] gates() {
        return gates;
    }
}

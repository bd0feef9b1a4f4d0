package io.cyclane.model.recursion;

import io.cyclane.model.layer.Block;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.List;

/**
 * Groups in sequence, each a repeat: the body of a recursive transformer. A plain encoder is a
 * stack of groups with one round each, so that both run on the same engine.
 */
public record RecursiveStack(List<Group> groups) {
    public RecursiveStack {
        groups = List.copyOf(groups);
    }

    /** {@return a stack of layers that are applied once each} */
    public static RecursiveStack plain(List<? extends Block> layers) {
        return new RecursiveStack(layers.stream().map(layer -> new Group(layer, 1)).toList());
    }

    /** Records all rounds of all groups on x, [T, D]. */
    public Tensor forward(Recorder g, Tensor x, RaggedBatch batch) {
        Tensor h = x;
        for (Group group : groups) {
            h = g.repeat(group.rounds(), h, inside -> group.block().forward(g, inside, batch));
        }
        return h;
    }

    /**
     * Records all rounds of all groups on x, [T, D], and keeps what every round gave.
     *
     * @return the result, and for each group its rounds' results, [N, T, D]
     */
    public Traced trace(Recorder g, Tensor x, RaggedBatch batch) {
        List<Tensor> states = new ArrayList<>();
        Tensor h = x;
        for (Group group : groups) {
            Loop loop = g.loop(group.rounds());
            Tensor inside = loop.carry(h);
            Tensor next = group.block().forward(g, inside, batch);
            loop.next(inside, next);
            states.add(loop.collect(next));
            loop.close();
            h = loop.result(inside);
        }
        return new Traced(h, states);
    }

    /**
     * What all rounds gave.
     *
     * @param result [T, D]
     * @param states for each group, [N, T, D]
     */
    public record Traced(Tensor result, List<Tensor> states) {
        public Traced {
            states = List.copyOf(states);
        }
    }

    /** {@return how many layers deep the stack is when its rounds are written out} */
    public int unrolledDepth() {
        return groups.stream().mapToInt(Group::rounds).sum();
    }
}

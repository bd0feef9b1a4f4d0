package io.cyclane.model.recursion;

import io.cyclane.model.layer.Block;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.Round;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Groups in sequence, each a repeat, or several of the same weights: the body of a recursive
 * transformer. A plain encoder is a stack of groups with one round each, so that both run on the
 * same engine.
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
        return record(g, x, batch, false).result();
    }

    /** Records the same, and keeps what every round gave and what its layers show. */
    public Traced trace(Recorder g, Tensor x, RaggedBatch batch) {
        return record(g, x, batch, true);
    }

    private Traced record(Recorder g, Tensor x, RaggedBatch batch, boolean isKept) {
        List<Tensor> states = new ArrayList<>();
        List<Map<String, Tensor>> shown = new ArrayList<>();
        Tensor h = x;
        for (Group.Stretch stretch : stretches()) {
            Loop loop = g.loop(stretch.rounds());
            Tensor inside = loop.carry(h);
            Round round = new Round(g, batch, loop);
            Tensor next = stretch.block().forward(g, inside, round);
            loop.next(inside, next);
            if (isKept) {
                states.add(loop.collect(next));
                Map<String, Tensor> values = new LinkedHashMap<>();
                round.shown().forEach((name, value) -> values.put(name, loop.collect(value)));
                shown.add(values);
            }
            loop.close();
            h = loop.result(inside);
        }
        return new Traced(h, states, shown);
    }

    /**
     * What all rounds gave.
     *
     * @param result [T, D]
     * @param states for each stretch of each group in order, [N, T, D], N being its rounds
     * @param shown for each stretch what its layers show, by name, [N, ..]
     */
    public record Traced(Tensor result, List<Tensor> states, List<Map<String, Tensor>> shown) {
        public Traced {
            states = List.copyOf(states);
            shown = shown.stream().map(Collections::unmodifiableMap).toList();
        }
    }

    /** {@return the stretches of all groups, in order} */
    public List<Group.Stretch> stretches() {
        return groups.stream().flatMap(group -> group.stretches().stream()).toList();
    }

    /** {@return how many layers deep the stack is when its rounds are written out} */
    public int unrolledDepth() {
        return groups.stream().mapToInt(Group::rounds).sum();
    }
}

package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How often each value of a program is read: what a fusion must know before it takes one away. */
final class Reads {
    private final Map<Tensor, Integer> counts = new HashMap<>();

    private Reads() {}

    static Reads of(Program program) {
        return of(program.steps(), program.outputs().values());
    }

    /**
     * {@return the reads of a block's values}
     *
     * @param after what is read when the block has run
     */
    static Reads of(List<Step> block, Collection<Tensor> after) {
        Reads reads = new Reads();
        reads.count(block);
        after.forEach(reads::count);
        return reads;
    }

    private void count(List<Step> steps) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> apply.inputs().forEach(this::count);
                case Step.Update update -> count(update.value());
                case Step.Repeat repeat -> {
                    repeat.carries()
                            .forEach(carry -> {
                                count(carry.start());
                                count(carry.end());
                            });
                    repeat.rows().forEach(row -> count(row.stacked()));
                    repeat.collected().forEach(kept -> count(kept.each()));
                    count(repeat.body());
                }
            }
        }
    }

    private void count(Tensor tensor) {
        counts.merge(tensor, 1, Integer::sum);
    }

    /** {@return how often a value is read} */
    int of(Tensor value) {
        return counts.getOrDefault(value, 0);
    }

    /**
     * {@return the step of a block that computes a value which only one other step reads} Null if
     * there is none, or if between it and the block's end stands an update or a loop: what the step
     * reads may be different there.
     */
    Step.@Nullable Apply soleSource(Tensor value, List<Step> block) {
        if (of(value) != 1) {
            return null;
        }
        for (Step step : block.reversed()) {
            if (step instanceof Step.Update || step instanceof Step.Repeat) {
                return null;
            }
            if (step instanceof Step.Apply apply && apply.results().contains(value)) {
                return apply;
            }
        }
        return null;
    }

    /** Takes a step out of a block: that very one, since steps of equal parts are not the same. */
    static void remove(Step step, List<Step> block) {
        int at = block.size() - 1;
        while (block.get(at) != step) {
            at--;
        }
        block.remove(at);
    }
}

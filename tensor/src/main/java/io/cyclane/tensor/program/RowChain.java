package io.cyclane.tensor.program;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Op;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The steps of a block of which a pooling step needs nothing but the rows that it picks: they work
 * row by row ({@link Op#isRowwise}), and whatever reads their results is one of them or the pooling
 * itself.
 */
final class RowChain {
    private final List<Step> block;
    private final Step.Apply pool;
    private final Reads reads;
    private final Extent rows;
    private final Set<Step> barred = same();
    private final Set<Step> members = same();

    private RowChain(List<Step> block, Step.Apply pool, Reads reads) {
        this.block = block;
        this.pool = pool;
        this.reads = reads;
        this.rows = pool.inputs().getFirst().shape().extent(0);
    }

    /** An empty set of steps: each is itself, whatever others of equal parts there are. */
    private static Set<Step> same() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /**
     * {@return the longest chain whose rows can be picked where they come into it}
     *
     * @param after what is read when the block has run
     * @param canPick tells of a value from outside the chain whether its rows can be picked
     */
    static RowChain of(
            List<Step> block, List<Tensor> after, Step.Apply pool, Predicate<Tensor> canPick) {
        RowChain chain = new RowChain(block, pool, Reads.of(block, after));
        Set<Step> unfit;
        do {
            chain.find();
            unfit = chain.unfit(canPick);
            chain.barred.addAll(unfit);
        } while (!unfit.isEmpty());
        return chain;
    }

    private void find() {
        members.clear();
        Map<Tensor, Integer> needed = new HashMap<>();
        needed.put(pool.inputs().getFirst(), 1);
        // Steps after the pooling give nothing that it needs.
        for (Step step : block.reversed()) {
            if (step instanceof Step.Apply apply
                    && apply.op().isRowwise()
                    && !barred.contains(apply)
                    && isNeededAlone(apply, needed)) {
                members.add(apply);
                for (Tensor input : apply.inputs()) {
                    if (hasRows(input)) {
                        needed.put(input, 1 + needed.getOrDefault(input, 0));
                    }
                }
            }
        }
    }

    /** Whether some of a step's results are needed, and none read more often than it is needed. */
    private boolean isNeededAlone(Step.Apply apply, Map<Tensor, Integer> needed) {
        boolean isNeeded = false;
        for (Tensor result : apply.results()) {
            int times = needed.getOrDefault(result, 0);
            if (times != reads.of(result)) {
                return false;
            }
            isNeeded |= times > 0;
        }
        return isNeeded;
    }

    /** The members that read rows from outside the chain which can not be picked there. */
    private Set<Step> unfit(Predicate<Tensor> canPick) {
        Set<Tensor> own = results();
        Set<Step> unfit = same();
        for (Step member : members) {
            for (Tensor input : ((Step.Apply) member).inputs()) {
                if (hasRows(input) && !own.contains(input) && !canPick.test(input)) {
                    unfit.add(member);
                }
            }
        }
        return unfit;
    }

    private Set<Tensor> results() {
        Set<Tensor> own = new HashSet<>();
        for (Step member : members) {
            own.addAll(((Step.Apply) member).results());
        }
        return own;
    }

    /** {@return whether a value has the rows of which some are picked} */
    boolean hasRows(Tensor tensor) {
        Shape shape = tensor.shape();
        return shape.rank() > 0 && shape.extent(0).equals(rows);
    }

    /** {@return how many steps it has} */
    int size() {
        return members.size();
    }

    /** {@return whether a step is of the chain} */
    boolean contains(Step step) {
        return members.contains(step);
    }

    /**
     * {@return the values whose rows come from outside; where there is no chain, the pooled one}
     */
    Set<Tensor> starts() {
        Set<Tensor> starts = new LinkedHashSet<>();
        Set<Tensor> own = results();
        starts.add(pool.inputs().getFirst());
        for (Step step : block) {
            if (contains(step)) {
                for (Tensor input : ((Step.Apply) step).inputs()) {
                    if (hasRows(input)) {
                        starts.add(input);
                    }
                }
            }
        }
        starts.removeAll(own);
        return starts;
    }
}

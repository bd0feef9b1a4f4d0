package io.cyclane.tensor.program;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Picks the first row of each sequence before the steps that work row by row instead of after them:
 * where a text is represented by its first token, all that follows the last attention is computed
 * for the first tokens alone, S rows and not T. That is three quarters of the dense work of a
 * model's last layer.
 *
 * <p>{@code pool(f(x, y), offsets)} becomes {@code own(f(pool(x, offsets), pool(y, offsets)),
 * offsets)}, where f is every step that nothing but the pooling needs ({@link RowChain}) and own
 * ({@link Pool.Kind#OWN}) gives sequences of no tokens their zeros again, which f may have made
 * something else of. Where the rows come out of a loop, its last round is written out after it, so
 * that the steps of the round can be among those of f.
 *
 * <p>The bits stay the same, since the steps do, but for the rows that nobody reads. So it runs
 * last, when layers are joined and values have their types: a fusion would see other neighbours,
 * and a pooled row, which is of the type that values accumulate in, would keep that type.
 */
public final class EarlyPooling {
    private final Program program;
    private final List<String> notes;
    private int nextId;

    private EarlyPooling(Program program) {
        this.program = program;
        this.notes = new ArrayList<>(program.notes());
        this.nextId = program.nextId();
    }

    /** {@return the program with first rows picked as early as can be} */
    public static Program of(Program program) {
        EarlyPooling pass = new EarlyPooling(program);
        List<Step> steps = pass.block(program.steps(), List.copyOf(program.outputs().values()));
        boolean isSame = pass.notes.size() == program.notes().size();
        return isSame ? program : program.with(steps, pass.notes);
    }

    /**
     * The block with every pooling done early.
     *
     * @param after what is read when the block has run
     */
    private List<Step> block(List<Step> steps, List<Tensor> after) {
        List<Step> own = new ArrayList<>();
        for (Step step : steps) {
            own.add(step instanceof Step.Repeat repeat ? inside(repeat) : step);
        }
        for (Step step : List.copyOf(own)) {
            if (step instanceof Step.Apply pool && picksFirstRows(pool)) {
                own = early(own, after, pool);
            }
        }
        return own;
    }

    private Step.Repeat inside(Step.Repeat repeat) {
        List<Tensor> after = new ArrayList<>();
        for (Step.Carry carry : repeat.carries()) {
            after.add(carry.end());
        }
        for (Step.Collected kept : repeat.collected()) {
            after.add(kept.each());
        }
        return repeat.with(block(repeat.body(), after));
    }

    /**
     * Offsets that the caller gives are the same everywhere. Rows are to become fewer, not more.
     */
    private boolean picksFirstRows(Step.Apply apply) {
        return apply.op() instanceof Pool pool
                && pool.kind() == Pool.Kind.CLS
                && program.inputs().contains(apply.inputs().getLast())
                && apply.inputs().getFirst().shape().extent(0) instanceof Extent.Bounded rows
                && sequences(apply).bound() <= rows.bound();
    }

    private static Extent.Bounded sequences(Step.Apply pool) {
        return (Extent.Bounded) pool.results().getFirst().shape().extent(0);
    }

    private boolean canPick(Tensor tensor) {
        return tensor.shape().rank() == 2
                && tensor.dtype().isFloat()
                && !program.variables().containsKey(tensor);
    }

    private List<Step> early(List<Step> steps, List<Tensor> after, Step.Apply pool) {
        List<Step> block = steps;
        RowChain chain = RowChain.of(block, after, pool, this::canPick);
        String rounds = "";
        Set<Tensor> seen = new HashSet<>();
        Step.Repeat loop = loopBefore(chain, block, seen);
        while (loop != null) {
            LastRound last = LastRound.of(loop, block, nextId);
            seen.add(last.start());
            RowChain longer = RowChain.of(last.block(), after, pool, this::canPick);
            if (longer.size() > chain.size()) {
                block = last.block();
                chain = longer;
                nextId = last.nextId();
                rounds +=
                        loop.rounds() == 1
                                ? ""
                                : ", the last of " + loop.rounds() + " rounds written out";
            }
            loop = loopBefore(chain, block, seen);
        }
        if (chain.size() == 0) {
            return steps;
        }
        notes.add(
                "picked early: '"
                        + pool.results().getFirst().name()
                        + "', "
                        + chain.size()
                        + " steps on "
                        + sequences(pool)
                        + " instead of "
                        + pool.inputs().getFirst().shape().extent(0)
                        + rounds);
        return picked(chain, block, pool);
    }

    /** A loop that the chain's rows come out of, and that was not seen before; or null. */
    private static Step.@Nullable Repeat loopBefore(
            RowChain chain, List<Step> block, Set<Tensor> seen) {
        for (Tensor start : chain.starts()) {
            if (seen.add(start)) {
                for (Step step : block) {
                    if (step instanceof Step.Repeat loop
                            && Step.written(loop).contains(start)
                            && LastRound.canBeWrittenOut(loop)) {
                        return loop;
                    }
                }
            }
        }
        return null;
    }

    /** The block with the chain's steps where they were, on the rows that the pooling picks. */
    private List<Step> picked(RowChain chain, List<Step> block, Step.Apply pool) {
        Tensor offsets = pool.inputs().getLast();
        List<Step> steps = new ArrayList<>();
        Map<Tensor, Tensor> rows = new HashMap<>();
        for (Step step : block) {
            if (step == pool) {
                Tensor own = Objects.requireNonNull(rows.get(pool.inputs().getFirst()));
                steps.add(
                        new Step.Apply(
                                new Pool(Pool.Kind.OWN), List.of(own, offsets), pool.results(), 0));
            } else if (chain.contains(step)) {
                Step.Apply apply = (Step.Apply) step;
                List<Tensor> inputs = new ArrayList<>();
                for (Tensor input : apply.inputs()) {
                    if (chain.hasRows(input) && !rows.containsKey(input)) {
                        rows.put(input, picked(input, offsets, steps));
                    }
                    inputs.add(rows.getOrDefault(input, input));
                }
                List<Tensor> results = added(apply.op(), inputs, apply.results(), steps);
                for (int i = 0; i < results.size(); i++) {
                    rows.put(apply.results().get(i), results.get(i));
                }
            } else {
                steps.add(step);
            }
        }
        return steps;
    }

    /** The first rows of a value, in its own type. */
    private Tensor picked(Tensor tensor, Tensor offsets, List<Step> steps) {
        List<Tensor> like = List.of(tensor);
        Tensor first =
                added(new Pool(Pool.Kind.CLS), List.of(tensor, offsets), like, steps).getFirst();
        return first.dtype() == tensor.dtype()
                ? first
                : added(new Convert(tensor.dtype()), List.of(first), like, steps).getFirst();
    }

    /** Adds an operation with new results, called as others are. */
    private List<Tensor> added(Op op, List<Tensor> inputs, List<Tensor> named, List<Step> steps) {
        List<Type> given = new ArrayList<>();
        for (Tensor input : inputs) {
            given.add(input.type());
        }
        List<Type> types = op.infer(given);
        List<Tensor> results = new ArrayList<>();
        for (int i = 0; i < types.size(); i++) {
            results.add(new Tensor(nextId++, named.get(i).name(), types.get(i)));
        }
        steps.add(new Step.Apply(op, inputs, results, 0));
        return results;
    }
}

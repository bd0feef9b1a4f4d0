package io.cyclane.tensor.op;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One dense layer or two between norms: {@code y = after(body(before(x)))}. A backend may run it a
 * block of rows at a time: what goes into the layers is normed where it is copied for them, and
 * what comes out while it is still in the cache.
 *
 * <p>Inputs, in order: those of the body, x first; the vectors of the norm before it; those of the
 * norm after it. A norm after wants a body with one result. The result may be what the body's may.
 *
 * @param body a {@link Linear} or a {@link FeedForward}
 * @param before a {@link LayerNorm}, a {@link RmsNorm}, or null for none
 * @param after likewise; there is one of the two at least
 */
public record Normed(Op.Composite body, @Nullable Op before, @Nullable Op after)
        implements Op.Composite {
    public Normed {
        Op.require(
                body instanceof Linear || body instanceof FeedForward,
                "between norms there must be a linear layer or two, is %s",
                body);
        Op.require(before != null || after != null, "there must be a norm before or after");
        for (Op norm : new Op[] {before, after}) {
            Op.require(norm == null || isNorm(norm), "the norm must be of rows, is %s", norm);
        }
    }

    /** {@return whether an operation may stand before or after} */
    public static boolean isNorm(Op op) {
        return op instanceof LayerNorm || op instanceof RmsNorm;
    }

    /** {@return how many inputs the body has}, which are the first ones */
    public int bodyInputs() {
        return switch (body) {
            case Linear linear -> linear.inputs();
            case FeedForward both -> both.inputs();
            default -> throw new AssertionError(body + " is no body");
        };
    }

    /** {@return the place among the inputs of the first vector of the norm after} */
    public int afterInput() {
        return bodyInputs() + vectors(before);
    }

    private static int vectors(@Nullable Op norm) {
        if (norm == null) {
            return 0;
        }
        return norm instanceof LayerNorm layerNorm && layerNorm.bias() ? 2 : 1;
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        Op.arity(inputs, afterInput() + vectors(after));
        List<Type> bodyInputs = new ArrayList<>(inputs.subList(0, bodyInputs()));
        if (before != null) {
            bodyInputs.set(0, before.infer(of(inputs, 0, bodyInputs(), afterInput())).getFirst());
        }
        List<Type> results = body.infer(bodyInputs);
        if (after == null) {
            return results;
        }
        Op.require(results.size() == 1, "a norm after wants one result, not %d", results.size());
        List<Type> given = new ArrayList<>(results);
        given.addAll(inputs.subList(afterInput(), inputs.size()));
        return after.infer(given);
    }

    private static <T> List<T> of(List<T> inputs, int first, int from, int end) {
        List<T> own = new ArrayList<>();
        own.add(inputs.get(first));
        own.addAll(inputs.subList(from, end));
        return own;
    }

    @Override
    public boolean mayOverlay(int result, int input) {
        return input < bodyInputs() && body.mayOverlay(result, input);
    }

    @Override
    public boolean isRowwise() {
        return true;
    }

    @Override
    public List<Tensor> expand(Sink sink, List<Tensor> inputs) {
        List<Tensor> given = new ArrayList<>(inputs.subList(0, bodyInputs()));
        if (before != null) {
            given.set(0, sink.apply(before, of(inputs, 0, bodyInputs(), afterInput())).getFirst());
        }
        List<Tensor> results = sink.apply(body, given);
        if (after == null) {
            return results;
        }
        List<Tensor> last = new ArrayList<>(results);
        last.addAll(inputs.subList(afterInput(), inputs.size()));
        return sink.apply(after, last);
    }
}

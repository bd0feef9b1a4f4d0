package io.cyclane.tensor.op;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.ShapeException;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.List;
import java.util.Locale;

/**
 * One operation: a formula with its shape rule. Operations are pure; a record's components are the
 * constants of its formula, its inputs and results are values of a program.
 *
 * <p>The set is closed: switches over it have no default, so that a new operation does not compile
 * until its reference, its kernels and its gradient have a place. The axis letters in the Javadoc
 * are T tokens of the whole batch, S sequences, D width, H heads, K head width, F hidden width, V
 * vocabulary, P positions, E experts, R rank; {@code ..} stands for any leading axes. A bounded
 * extent may only stand first in what an operation reads or writes.
 */
public sealed interface Op
        permits Op.Unary,
                Op.Composite,
                Add,
                Attention,
                Combine,
                Embedding,
                ExpertMatMul,
                LayerNorm,
                MatMul,
                Multiply,
                Pool,
                Positions,
                RmsNorm,
                Rotary,
                Route,
                Split {

    /**
     * Checks the inputs and tells the results.
     *
     * @throws ShapeException when they do not fit, in words that name what came and what was wanted
     */
    List<Type> infer(List<Type> inputs);

    /**
     * {@return whether a result may be written over an input of the same size} True only if the
     * operation reads no element of that input after writing the same element of the result.
     */
    default boolean mayOverlay(int result, int input) {
        return false;
    }

    /**
     * {@return whether the operation can leave a result out that nobody reads, so that it takes no
     * memory}
     */
    default boolean mayOmit(int result) {
        return false;
    }

    /**
     * {@return whether an input is of the type that the others accumulate in} True of gates, which
     * a {@link Route} gives so.
     */
    default boolean takesAccumulated(int input) {
        return false;
    }

    /**
     * {@return whether a row of the results follows from the same row of the inputs alone} Rows lie
     * along a bounded first axis, which all results then share with the inputs that have it; other
     * inputs, such as weights, are read whole for every row. Some rows of the results are then, bit
     * for bit, what the operation makes of those rows of the inputs: {@link
     * io.cyclane.tensor.program.EarlyPooling} leaves the others out. True only of an operation that
     * looks neither at a row's place nor at its neighbours.
     */
    default boolean isRowwise() {
        return false;
    }

    /** {@return the operation's name in messages: its record's name, first letter small} */
    default String label() {
        String name = getClass().getSimpleName();
        return name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
    }

    /** An operation with one input and one result. */
    sealed interface Unary extends Op
            permits Activate, Convert, Copy, Glu, L2Normalize, Scale, Softmax {
        /** Checks the input and tells the result. */
        Type infer(Type x);

        @Override
        default List<Type> infer(List<Type> inputs) {
            arity(inputs, 1);
            return List.of(infer(inputs.getFirst()));
        }
    }

    /** An operation that simpler ones can stand for, where a backend has no kernel for it. */
    sealed interface Composite extends Op permits FeedForward, Linear, MolGeGlu, Normed {
        /** Records simpler operations with the same results. */
        List<Tensor> expand(Sink sink, List<Tensor> inputs);
    }

    /** Where operations are recorded. */
    @FunctionalInterface
    interface Sink {
        /** Records one operation and returns its results. */
        List<Tensor> apply(Op op, List<Tensor> inputs);

        /** Records an operation and returns its first result. */
        default Tensor first(Op op, Tensor... inputs) {
            return apply(op, List.of(inputs)).getFirst();
        }
    }

    /** Fails with a message unless the claim holds. */
    static void require(boolean claim, String format, Object... values) {
        if (!claim) {
            throw new ShapeException(String.format(Locale.ROOT, format, values));
        }
    }

    /** Fails unless there are so many inputs. */
    static void arity(List<Type> inputs, int wanted) {
        require(inputs.size() == wanted, "takes %d inputs, came %d", wanted, inputs.size());
    }

    /**
     * Fails unless the value is floating-point, has at least {@code rank} axes and a bounded extent
     * only first; where there must be an axis, the last is one of columns, and fixed.
     */
    static void requireFloat(String what, Type type, int rank) {
        require(type.dtype().isFloat(), "%s must be floating-point, is %s", what, type);
        Shape shape = type.shape();
        require(shape.rank() >= rank, "%s must have at least %d axes, is %s", what, rank, type);
        requireBoundedFirst(what, type);
        require(
                rank == 0 || shape.extents().getLast() instanceof Extent.Fixed,
                "the last extent of %s must be fixed: %s",
                what,
                type);
    }

    /** Fails unless the value is I32, with a bounded extent only first. */
    static void requireInts(String what, Type type) {
        require(type.dtype() == DType.I32, "%s must be I32, is %s", what, type);
        requireBoundedFirst(what, type);
    }

    private static void requireBoundedFirst(String what, Type type) {
        Shape shape = type.shape();
        for (int axis = 1; axis < shape.rank(); axis++) {
            require(
                    shape.extent(axis) instanceof Extent.Fixed,
                    "%s has a bounded extent that is not its first: %s",
                    what,
                    type);
        }
    }
}

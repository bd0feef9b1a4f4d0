package io.cyclane.gpu.launch;

import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.program.Step;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;

/** What a step's launches are made from: the places of its inputs and results, and its counts. */
public final class Operands {
    /** Threads are counted in an I32, and a grid's last block may reach past the elements. */
    private static final int MOST_ELEMENTS = Integer.MAX_VALUE - 1024;

    private final Step.Apply step;
    private final IntPredicate isWeight;
    private final List<Operand> inputs;
    private final List<Operand> results;
    private final Operand scratch;
    private final Function<Extent.Bounded, Count> counts;
    private final Function<Fault, Argument.Address> faults;

    /**
     * Operands of a step.
     *
     * @param isWeight tells of each input whether it is a parameter, and so comes packed
     * @param results {@link Operand#NONE} for one that is left out
     * @param scratch {@link Operand#NONE} where the step asked for none
     * @param faults gives the cell in which a kernel reports a fault, as the fault's words are
     *     given
     */
    public Operands(
            Step.Apply step,
            IntPredicate isWeight,
            List<Operand> inputs,
            List<Operand> results,
            Operand scratch,
            Function<Extent.Bounded, Count> counts,
            Function<Fault, Argument.Address> faults) {
        this.step = step;
        this.isWeight = isWeight;
        this.inputs = List.copyOf(inputs);
        this.results = List.copyOf(results);
        this.scratch = scratch;
        this.counts = counts;
        this.faults = faults;
    }

    /** {@return where an input lies} */
    public Operand input(int index) {
        return inputs.get(index);
    }

    /** {@return whether an input is a parameter, in the form its packing gives it} */
    public boolean isWeight(int index) {
        return isWeight.test(index);
    }

    /** {@return where an input lies, or nowhere if there is none} */
    public Operand inputIf(boolean isThere, int index) {
        return isThere ? inputs.get(index) : Operand.NONE;
    }

    /** {@return an input's type} */
    public Type inputType(int index) {
        return step.inputs().get(index).type();
    }

    /** {@return the inputs' types} */
    public List<Type> inputTypes() {
        return step.inputs().stream().map(Tensor::type).toList();
    }

    /** {@return an input's shape} */
    public Shape shape(int index) {
        return step.inputs().get(index).shape();
    }

    /** {@return what an input is called, for messages} */
    public String inputName(int index) {
        return step.inputs().get(index).name();
    }

    /** {@return where the first result goes} */
    public Operand result() {
        return results.getFirst();
    }

    /** {@return where a result goes; {@link Operand#NONE} if it is left out} */
    public Operand result(int index) {
        return results.get(index);
    }

    /** {@return where all results go} */
    public List<Operand> results() {
        return results;
    }

    /** {@return where the scratch lies that the operation asked for} */
    public Operand scratch() {
        if (scratch.equals(Operand.NONE)) {
            throw new AssertionError(step + " asked for no scratch");
        }
        return scratch;
    }

    /** {@return a result's type} */
    public Type resultType(int index) {
        return step.results().get(index).type();
    }

    /** {@return a result's shape} */
    public Shape resultShape(int index) {
        return step.results().get(index).shape();
    }

    /** {@return how many rows, all axes but the last, a value of this shape has} */
    public Count rows(Shape shape) {
        return shape.rank() == 0 ? Count.fixed(1) : product(shape.withoutLast());
    }

    /** {@return how many elements a value of this shape has} */
    public Count elements(Shape shape) {
        return product(shape);
    }

    /** {@return how many sequences these offsets part} */
    public Count sequences(int index) {
        return counts.apply(Attention.sequences(inputType(index)));
    }

    /** {@return the cell in which the step's kernel reports a fault} */
    public Argument.Address fault(Fault words) {
        return faults.apply(words);
    }

    /** {@return how many elements a value of this type has} */
    public static Count elements(Tensor value, Function<Extent.Bounded, Count> counts) {
        return product(value.shape(), counts);
    }

    private Count product(Shape shape) {
        return product(shape, counts);
    }

    private static Count product(Shape shape, Function<Extent.Bounded, Count> counts) {
        if (shape.rank() == 0) {
            return Count.fixed(1);
        }
        if (shape.elements() > MOST_ELEMENTS) {
            throw new BackendException(
                    "a value of %s has %d elements, and kernels count up to %d: lower the capacity"
                            .formatted(shape, shape.elements(), MOST_ELEMENTS));
        }
        int each = Math.toIntExact(shape.withoutFirst().elements());
        return switch (shape.extent(0)) {
            case Extent.Fixed fixed -> Count.fixed(fixed.bound()).times(each);
            case Extent.Bounded named -> counts.apply(named).times(each);
            case Extent.Borders borders -> counts.apply(borders.of()).borders().times(each);
        };
    }
}

package io.cyclane.tensor.host;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.program.Step;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a kernel is bound to: the places of a step's inputs, results and scratch, and the counts of
 * their rows.
 */
public final class Operands {
    private final Step.Apply step;
    private final List<Place> inputs;
    private final List<@Nullable Place> results;
    private final @Nullable Place scratch;
    private final Counts counts;

    Operands(
            Step.Apply step,
            List<Place> inputs,
            List<@Nullable Place> results,
            @Nullable Place scratch,
            Counts counts) {
        this.step = step;
        this.inputs = inputs;
        this.results = results;
        this.scratch = scratch;
        this.counts = counts;
    }

    /** {@return where an input lies; a parameter in the form its packing gives it} */
    public Place input(int index) {
        return inputs.get(index);
    }

    /** {@return an input's type} */
    public Type inputType(int index) {
        return step.inputs().get(index).type();
    }

    /** {@return what an input is called, for messages} */
    public String inputName(int index) {
        return step.inputs().get(index).name();
    }

    /** {@return all inputs' types} */
    public List<Type> inputTypes() {
        return step.inputs().stream().map(Tensor::type).toList();
    }

    /** {@return where the first result goes} */
    public Place result() {
        return writtenResult(0);
    }

    /** {@return where a result goes that the operation always writes} */
    public Place writtenResult(int index) {
        Place place = results.get(index);
        if (place == null) {
            throw new AssertionError("result " + index + " of " + step + " has no place");
        }
        return place;
    }

    /** {@return where a result goes, or null if it is left out because nobody reads it} */
    public @Nullable Place result(int index) {
        return results.get(index);
    }

    /** {@return how many results there are} */
    public int results() {
        return results.size();
    }

    /** {@return a result's type} */
    public Type resultType(int index) {
        return step.results().get(index).type();
    }

    /** {@return the scratch the operation asked for} */
    public Place scratch() {
        if (scratch == null) {
            throw new AssertionError(step + " asked for no scratch");
        }
        return scratch;
    }

    /**
     * {@return how many rows, all axes but the last, a value of this type has in the current run}
     */
    public Count rows(Type type) {
        return counts.rows(type);
    }

    /** {@return how many elements a value of this type has in the current run} */
    public Count elements(Type type) {
        return counts.elements(type);
    }

    /** {@return how many elements an extent has in the current run} */
    public Count count(Extent extent) {
        return counts.of(extent);
    }
}

package io.cyclane.testkit;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Recorder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A program of one operation, and the numbers to run it on. Its results are the outputs {@code y0},
 * {@code y1} and so on.
 */
public final class OneOp {
    private final Op op;
    private final List<Argument> arguments = new ArrayList<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>();
    private List<Integer> read = List.of();

    /** This operation, its inputs still to be given in order. */
    public OneOp(Op op) {
        this.op = op;
    }

    /**
     * Gives the next input, an F32 value; one that stays F32 whatever is stored is given as it is.
     */
    public OneOp with(String name, Type type, float... values) {
        boolean isStored = !op.takesAccumulated(arguments.size());
        float[] numbers = isStored ? Given.numbers(values) : values;
        arguments.add(new Argument(name, type, numbers, new int[0], false));
        return this;
    }

    /** Gives the next input, an I32 value. */
    public OneOp withIntegers(String name, Type type, int... values) {
        arguments.add(new Argument(name, type, new float[0], values, false));
        return this;
    }

    /** Gives the next input, a weight of these extents. */
    public OneOp weight(String name, float[] values, int... extents) {
        Type type = Type.f32(Shape.of(extents));
        arguments.add(new Argument(name, type, Given.numbers(values), new int[0], true));
        return this;
    }

    /** Gives the count of an extent. */
    public OneOp count(String extent, int count) {
        counts.put(extent, count);
        return this;
    }

    /** Gives the counts of a ragged batch. */
    public OneOp counts(Ragged ragged) {
        return count("tokens", ragged.tokens()).count("sequences", ragged.sequences());
    }

    /** Names the results that are read; without it all are. */
    public OneOp reading(Integer... results) {
        read = List.of(results);
        return this;
    }

    /**
     * {@return the types of the results that are read, where values are stored so and not as F32}
     */
    List<DType> results(DType stored) {
        List<Type> inputs = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            Type type = arguments.get(i).type;
            boolean isStored = type.dtype() == DType.F32 && !op.takesAccumulated(i);
            inputs.add(isStored ? type.with(stored) : type);
        }
        List<Type> results = op.infer(inputs);
        return IntStream.range(0, results.size())
                .filter(i -> read.isEmpty() || read.contains(i))
                .mapToObj(i -> results.get(i).dtype())
                .toList();
    }

    /** {@return whether an input is a weight} */
    boolean hasWeight() {
        return arguments.stream().anyMatch(Argument::isWeight);
    }

    /** {@return the operation on inputs of the program, which it may not write over} */
    public Run direct() {
        return run(false, true);
    }

    /** {@return the operation on values that nobody else reads, and that it may so write over} */
    public Run onCopies() {
        return run(true, true);
    }

    /** {@return the operation on inputs of the program, weights included} */
    public Run withoutWeights() {
        return run(false, false);
    }

    private Run run(boolean isCopied, boolean hasWeights) {
        Recorder g = new Recorder(this + (isCopied ? " on copies" : ""));
        List<Tensor> tensors = new ArrayList<>();
        for (Argument argument : arguments) {
            if (argument.isWeight && hasWeights) {
                tensors.add(g.parameter(new Parameter(argument.name, argument.type)));
            } else {
                Tensor input = g.input(argument.name, argument.type);
                tensors.add(isCopied ? g.copy(input) : input);
            }
        }
        List<Tensor> results = g.apply(op, tensors);
        for (int i = 0; i < results.size(); i++) {
            if (read.isEmpty() || read.contains(i)) {
                g.output("y" + i, results.get(i));
            }
        }
        Run run = Run.of(g.program());
        for (Argument argument : arguments) {
            if (argument.type.dtype() == DType.I32) {
                run.givenIntegers(argument.name, argument.integers);
            } else {
                run.given(argument.name, argument.floats);
            }
        }
        counts.forEach(run::count);
        return run;
    }

    @Override
    public String toString() {
        return op + " of " + arguments.stream().map(a -> a.type.toString()).toList();
    }

    /** An input with its numbers. */
    private record Argument(
            String name, Type type, float[] floats, int[] integers, boolean isWeight) {}
}

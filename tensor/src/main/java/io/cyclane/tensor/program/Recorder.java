package io.cyclane.tensor.program;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.ShapeException;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.Multiply;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Scale;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Records a program. Code that uses it reads as if it computed; nothing is computed until the
 * program runs.
 *
 * <pre>{@code
 * Recorder g = new Recorder("two layers");
 * Extent.Bounded tokens = new Extent.Bounded("tokens", 512);
 * Tensor x = g.input("x", Type.f32(Shape.of(tokens, Extent.of(64))));
 * Tensor w = g.parameter(Parameter.of("w", 64, 64));
 * Tensor y = g.repeat(2, x, h -> g.add(h, g.matMul(h, w)));
 * Program program = g.output("y", y).program();
 * }</pre>
 *
 * <p>One recorder records one program, in one thread. Inside a repeat the same recorder records the
 * body.
 */
public final class Recorder implements Op.Sink {
    private final String name;
    private final List<Tensor> inputs = new ArrayList<>();
    private final Map<Parameter, Tensor> parameters = new LinkedHashMap<>();
    private final Map<Variable, Tensor> variables = new LinkedHashMap<>();
    private final Map<String, Tensor> outputs = new LinkedHashMap<>();
    private final Deque<List<Step>> blocks = new ArrayDeque<>();
    private int tensors;

    /** A recorder for a program of this name. */
    public Recorder(String name) {
        this.name = name;
        blocks.push(new ArrayList<>());
    }

    /** {@return a new input, which the caller supplies for each run under this name} */
    public Tensor input(String inputName, Type type) {
        Tensor input = tensor(inputName, type);
        inputs.add(input);
        return input;
    }

    /** {@return the tensor that stands for a weight: the same one each time it is asked for} */
    public Tensor parameter(Parameter parameter) {
        return parameters.computeIfAbsent(parameter, p -> tensor(p.name(), p.type()));
    }

    /** {@return the weights asked for so far, in order, also such as nothing comes to need} */
    public Set<Parameter> parameters() {
        return Collections.unmodifiableSet(parameters.keySet());
    }

    /** {@return the tensor that stands for a variable: the same one each time it is asked for} */
    public Tensor variable(Variable variable) {
        return variables.computeIfAbsent(variable, v -> tensor(v.name(), v.type()));
    }

    /** Records that a variable takes this value, for all that is recorded after. */
    public void update(Variable variable, Tensor value) {
        block().add(new Step.Update(variable(variable), value));
    }

    /** Makes a value readable by the caller after each run. */
    public Recorder output(String outputName, Tensor value) {
        if (blocks.size() > 1) {
            throw new ProgramException(
                    "output '" + outputName + "' stands inside a repeat: collect it instead");
        }
        boolean leaf =
                inputs.contains(value)
                        || parameters.containsValue(value)
                        || variables.containsValue(value);
        Tensor own = leaf || outputs.containsValue(value) ? copy(value) : value;
        if (outputs.put(outputName, own) != null) {
            throw new ProgramException(
                    "program '" + name + "': two outputs are called '" + outputName + "'");
        }
        return this;
    }

    /**
     * {@return the program recorded so far, without the steps that lead to no output and no update}
     */
    public Program program() {
        Map<Tensor, Parameter> weights = new LinkedHashMap<>();
        parameters.forEach((parameter, tensor) -> weights.put(tensor, parameter));
        Map<Tensor, Variable> cells = new LinkedHashMap<>();
        variables.forEach((variable, tensor) -> cells.put(tensor, variable));
        if (blocks.size() > 1) {
            throw new ProgramException("program '" + name + "': a repeat is still open");
        }
        List<Step> live = DeadSteps.removed(block(), outputs.values());
        return new Program(name, inputs, weights, cells, live, outputs, List.of());
    }

    @Override
    public List<Tensor> apply(Op op, List<Tensor> arguments) {
        List<Type> types;
        try {
            types = op.infer(arguments.stream().map(Tensor::type).toList());
        } catch (ShapeException e) {
            throw new ShapeException(
                    op.label() + " of " + names(arguments) + ": " + e.getMessage());
        }
        List<Tensor> results = new ArrayList<>(types.size());
        for (Type type : types) {
            results.add(tensor(label(op, arguments), type));
        }
        block().add(new Step.Apply(op, arguments, results, 0));
        return List.copyOf(results);
    }

    /** {@return x + y}; y may be a vector added to every row. */
    public Tensor add(Tensor x, Tensor y) {
        return first(new Add(), x, y);
    }

    /** {@return x * y, element by element}; y may be a vector multiplied into every row. */
    public Tensor multiply(Tensor x, Tensor y) {
        return first(new Multiply(), x, y);
    }

    /** {@return factor * x} */
    public Tensor scale(Tensor x, float factor) {
        return first(new Scale(factor), x);
    }

    /** {@return the matrix product x . y} */
    public Tensor matMul(Tensor x, Tensor y) {
        return first(new MatMul(false), x, y);
    }

    /** {@return function(x)} */
    public Tensor activate(Tensor x, Activation function) {
        return first(new Activate(function), x);
    }

    /** {@return function(a) * b for the halves a and b of x} */
    public Tensor glu(Tensor x, Activation function) {
        return first(new Glu(function), x);
    }

    /** {@return the same numbers as a value of its own} */
    public Tensor copy(Tensor x) {
        return first(new Copy(), x);
    }

    /** {@return what is left of start after the body has run so many times on it} */
    public Tensor repeat(int rounds, Tensor start, UnaryOperator<Tensor> body) {
        Loop loop = loop(rounds);
        Tensor inside = loop.carry(start);
        loop.next(inside, body.apply(inside));
        loop.close();
        return loop.result(inside);
    }

    /**
     * Opens a loop with any number of carries, rows and collected values; what is recorded next is
     * its body.
     */
    public Loop loop(int rounds) {
        blocks.push(new ArrayList<>());
        return new Loop(this, rounds);
    }

    /** Ends the body of the innermost loop and returns its steps; the loop calls it. */
    List<Step> endBody() {
        return blocks.pop();
    }

    /** {@return whether a step of the block being recorded leaves this value} */
    boolean isWrittenHere(Tensor tensor) {
        return block().stream().anyMatch(step -> Step.written(step).contains(tensor));
    }

    /** {@return whether an operation of the block being recorded computes this value} */
    boolean isComputedHere(Tensor tensor) {
        return block().stream()
                .anyMatch(step ->
                        step instanceof Step.Apply apply && apply.results().contains(tensor));
    }

    /** {@return how many loops are open} */
    int depth() {
        return blocks.size() - 1;
    }

    /** Adds a step to the block being recorded. */
    void add(Step step) {
        block().add(step);
    }

    /** {@return a new handle} */
    Tensor tensor(String tensorName, Type type) {
        return new Tensor(tensors++, tensorName, type);
    }

    private List<Step> block() {
        return blocks.element();
    }

    /** What a step is about: the weight that takes part, else what its first input is about. */
    private String label(Op op, List<Tensor> arguments) {
        for (Tensor argument : arguments) {
            if (parameters.containsValue(argument)) {
                return op.label() + " " + argument.name();
            }
        }
        String first = arguments.getFirst().name();
        return op.label() + " " + first.substring(first.indexOf(' ') + 1);
    }

    private static String names(List<Tensor> tensors) {
        return tensors.stream().map(t -> "'" + t.name() + "'").collect(Collectors.joining(", "));
    }
}

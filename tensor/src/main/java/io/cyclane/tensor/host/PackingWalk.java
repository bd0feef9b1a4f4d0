package io.cyclane.tensor.host;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** Finds every form in which a lowered program reads its parameters. */
public final class PackingWalk {
    private final OpSet kernels;
    private final Visitor visitor;
    private final Map<Tensor, Parameter> parameters;

    private PackingWalk(Program lowered, OpSet kernels, Visitor visitor) {
        this.kernels = kernels;
        this.visitor = visitor;
        this.parameters = new HashMap<>(lowered.parameters());
    }

    /** Shows each use of a parameter to the visitor; the same form may come more than once. */
    public static void of(Program lowered, OpSet kernels, Visitor visitor) {
        new PackingWalk(lowered, kernels, visitor).block(lowered.steps());
    }

    /** {@return the bytes of all forms that these parameters are read in, by layout} */
    public static Map<String, Long> bytesByLayout(
            Program lowered, OpSet kernels, Predicate<Parameter> counted) {
        Map<PackedForm, Long> forms = new HashMap<>();
        of(
                lowered,
                kernels,
                (parameter, each, packing) -> {
                    if (counted.test(parameter)) {
                        PackedForm form = PackedForm.of(parameter, each, packing);
                        forms.put(form, form.lengthBytes(packing));
                    }
                });
        Map<String, Long> bytes = new TreeMap<>();
        forms.forEach((form, length) -> bytes.merge(form.layout(), length, Long::sum));
        return bytes;
    }

    /**
     * What is done with a form; {@code each} is the shape that is packed as one, a row of a stacked
     * parameter.
     */
    @FunctionalInterface
    public interface Visitor {
        /** Is shown one use. */
        void visit(Parameter parameter, Shape each, Packing packing);
    }

    private void block(List<Step> steps) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    for (int input = 0; input < apply.inputs().size(); input++) {
                        visit(apply.inputs().get(input), kernels.packing(apply.op(), input));
                    }
                }
                case Step.Update(Tensor _, Tensor value) ->
                        visit(value, kernels.packing(new Copy(), 0));
                case Step.Repeat repeat -> {
                    repeat.carries()
                            .forEach(carry -> visit(carry.start(), kernels.packing(new Copy(), 0)));
                    for (Step.Row row : repeat.rows()) {
                        Parameter parameter = parameters.get(row.stacked());
                        if (parameter != null) {
                            parameters.put(row.row(), parameter);
                        }
                    }
                    block(repeat.body());
                }
            }
        }
    }

    private void visit(Tensor tensor, Packing packing) {
        Parameter parameter = parameters.get(tensor);
        if (parameter != null) {
            visitor.visit(parameter, tensor.shape(), packing);
        }
    }
}

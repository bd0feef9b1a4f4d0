package io.cyclane.tensor.reference;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The same program with every F32 value typed F64. */
final class Widened {
    private final Map<Tensor, Tensor> wide = new HashMap<>();

    private Widened() {}

    static Program of(Program program) {
        Widened widened = new Widened();
        List<Tensor> inputs = widened.all(program.inputs());
        Map<Tensor, Parameter> parameters = new LinkedHashMap<>();
        program.parameters()
                .forEach((t, p) ->
                        parameters.put(
                                widened.of(t), new Parameter(p.name(), widened.of(p.type()))));
        Map<Tensor, Variable> variables = new LinkedHashMap<>();
        program.variables()
                .forEach((t, v) ->
                        variables.put(widened.of(t), new Variable(v.name(), widened.of(v.type()))));
        List<Step> steps = widened.block(program.steps());
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        program.outputs().forEach((name, tensor) -> outputs.put(name, widened.of(tensor)));
        return new Program(
                program.name(), inputs, parameters, variables, steps, outputs, program.notes());
    }

    private List<Step> block(List<Step> steps) {
        List<Step> widened = new ArrayList<>();
        for (Step step : steps) {
            widened.add(
                    switch (step) {
                        case Step.Apply apply ->
                                new Step.Apply(
                                        of(apply.op()),
                                        all(apply.inputs()),
                                        all(apply.results()),
                                        0);
                        case Step.Update(Tensor variable, Tensor value) ->
                                new Step.Update(of(variable), of(value));
                        case Step.Repeat repeat -> repeat(repeat);
                    });
        }
        return widened;
    }

    private Step.Repeat repeat(Step.Repeat repeat) {
        return new Step.Repeat(
                repeat.rounds(),
                of(repeat.round()),
                repeat.carries().stream()
                        .map(c ->
                                new Step.Carry(
                                        of(c.start()), of(c.inside()), of(c.end()), of(c.result())))
                        .toList(),
                repeat.rows().stream()
                        .map(row -> new Step.Row(of(row.stacked()), of(row.row())))
                        .toList(),
                repeat.collected().stream()
                        .map(kept -> new Step.Collected(of(kept.each()), of(kept.stacked())))
                        .toList(),
                block(repeat.body()));
    }

    private static Op of(Op op) {
        return op instanceof Convert(DType dtype) && dtype == DType.F32
                ? new Convert(DType.F64)
                : op;
    }

    private List<Tensor> all(List<Tensor> tensors) {
        return tensors.stream().map(this::of).toList();
    }

    private Tensor of(Tensor tensor) {
        return wide.computeIfAbsent(tensor, t -> new Tensor(t.id(), t.name(), of(t.type())));
    }

    private Type of(Type type) {
        return type.dtype() == DType.F32 ? type.with(DType.F64) : type;
    }
}

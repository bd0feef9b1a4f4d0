package io.cyclane.tensor.host;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A lowered program with its plan, weights and kernels: all a binding is made from. */
record HostExecutable(Program program, MemoryPlan plan, HostWeights weights, KernelSet kernels)
        implements Executable {

    /** Packs every weight the program reads, each once per layout. */
    void packWeights() {
        Map<Tensor, Parameter> parameters = new HashMap<>(program.parameters());
        packWeights(program.steps(), parameters);
    }

    private void packWeights(List<Step> steps, Map<Tensor, Parameter> parameters) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    for (int input = 0; input < apply.inputs().size(); input++) {
                        Tensor tensor = apply.inputs().get(input);
                        Parameter parameter = parameters.get(tensor);
                        if (parameter != null) {
                            weights.packed(
                                    parameter, tensor.shape(), kernels.packing(apply.op(), input));
                        }
                    }
                }
                case Step.Update(Tensor _, Tensor value) -> {
                    Parameter parameter = parameters.get(value);
                    if (parameter != null) {
                        weights.packed(parameter, value.shape(), kernels.packing(new Copy(), 0));
                    }
                }
                case Step.Repeat repeat -> {
                    for (Step.Row row : repeat.rows()) {
                        Parameter parameter = parameters.get(row.stacked());
                        if (parameter != null) {
                            parameters.put(row.row(), parameter);
                        }
                    }
                    for (Step.Carry carry : repeat.carries()) {
                        Parameter parameter = parameters.get(carry.start());
                        if (parameter != null) {
                            Shape whole = carry.start().shape();
                            weights.packed(parameter, whole, kernels.packing(new Copy(), 0));
                        }
                    }
                    packWeights(repeat.body(), parameters);
                }
            }
        }
    }
}

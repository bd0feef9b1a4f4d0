package io.cyclane.tensor.program;

import io.cyclane.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes a program out, a line per step. Values are numbered in the order they appear, so that the
 * text, and the fingerprint made of it, say what is computed and not how it came to be recorded.
 */
final class ProgramText {
    private final StringBuilder text = new StringBuilder();
    private final Map<Tensor, Integer> numbers = new HashMap<>();

    ProgramText(Program program) {
        program.inputs()
                .forEach(input -> line(0, "input " + define(input) + " '" + input.name() + "'"));
        program.parameters()
                .forEach((tensor, p) ->
                        line(0, "parameter " + define(tensor) + " '" + p.name() + "'"));
        program.variables()
                .forEach((tensor, v) ->
                        line(0, "variable " + define(tensor) + " '" + v.name() + "'"));
        block(0, program.steps());
        program.outputs()
                .forEach((name, tensor) -> line(0, "output '" + name + "' = " + use(tensor)));
    }

    private void block(int depth, List<Step> steps) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    String line =
                            all(apply.results()) + " = " + apply.op() + " " + uses(apply.inputs());
                    line(
                            depth,
                            apply.scratchBytes() == 0
                                    ? line
                                    : line + " scratch " + apply.scratchBytes());
                }
                case Step.Update(Tensor variable, Tensor value) ->
                        line(depth, "update " + use(variable) + " <- " + use(value));
                case Step.Repeat repeat -> repeat(depth, repeat);
            }
        }
    }

    private void repeat(int depth, Step.Repeat repeat) {
        line(depth, "repeat " + repeat.rounds() + " round " + define(repeat.round()));
        for (Step.Carry carry : repeat.carries()) {
            line(depth + 1, "carry " + define(carry.inside()) + " from " + use(carry.start()));
        }
        for (Step.Row row : repeat.rows()) {
            line(depth + 1, "row " + define(row.row()) + " of " + use(row.stacked()));
        }
        block(depth + 1, repeat.body());
        for (Step.Carry carry : repeat.carries()) {
            line(depth + 1, "next " + use(carry.inside()) + " = " + use(carry.end()));
        }
        for (Step.Carry carry : repeat.carries()) {
            line(depth, define(carry.result()) + " = carry " + use(carry.inside()));
        }
        for (Step.Collected collected : repeat.collected()) {
            line(depth, define(collected.stacked()) + " = collected " + use(collected.each()));
        }
    }

    private void line(int depth, String content) {
        text.append("  ".repeat(depth)).append(content).append('\n');
    }

    private String all(List<Tensor> tensors) {
        return tensors.stream().map(this::define).collect(Collectors.joining(", "));
    }

    private String uses(List<Tensor> tensors) {
        return tensors.stream().map(this::use).collect(Collectors.joining(", ", "(", ")"));
    }

    private String define(Tensor tensor) {
        numbers.putIfAbsent(tensor, numbers.size());
        return use(tensor) + " " + tensor.type();
    }

    private String use(Tensor tensor) {
        return "%" + numbers.get(tensor);
    }

    @Override
    public String toString() {
        return text.toString();
    }
}

package io.cyclane.tensor.program;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Checks that steps make a program: every value is written once and read only after it, inside the
 * body that wrote it; operations get inputs that fit; loops close over values of equal types;
 * extents of one name have one bound.
 */
final class ProgramCheck {
    private final Program program;
    private final Set<Tensor> defined = new HashSet<>();
    private final Set<Tensor> updatable = new HashSet<>();
    private final Map<String, Extent.Bounded> extents = new LinkedHashMap<>();

    ProgramCheck(Program program) {
        this.program = program;
    }

    /** Checks everything and returns the bounded extents. */
    List<Extent.Bounded> run() {
        Set<String> names = new HashSet<>();
        for (Tensor input : program.inputs()) {
            require(names.add(input.name()), "two inputs are called '%s'", input.name());
            define(input);
        }
        Set<String> weights = new HashSet<>();
        program.parameters()
                .forEach((tensor, parameter) -> {
                    require(
                            weights.add(parameter.name()),
                            "two parameters are called '%s'",
                            parameter.name());
                    sameType(
                            tensor, parameter.type(), () -> "parameter '" + parameter.name() + "'");
                    define(tensor);
                });
        Set<String> cells = new HashSet<>();
        program.variables()
                .forEach((tensor, variable) -> {
                    require(
                            cells.add(variable.name()),
                            "two variables are called '%s'",
                            variable.name());
                    sameType(tensor, variable.type(), () -> "variable '" + variable.name() + "'");
                    define(tensor);
                    updatable.add(tensor);
                });
        Set<Tensor> visible = new HashSet<>(defined);
        block(program.steps(), visible);
        Set<Tensor> leaves = new HashSet<>(program.inputs());
        leaves.addAll(program.parameters().keySet());
        leaves.addAll(program.variables().keySet());
        program.outputs()
                .forEach((name, tensor) -> {
                    see(visible, tensor, () -> "output '" + name + "'");
                    require(
                            !leaves.contains(tensor),
                            "output '%s' is not written by a step: copy it",
                            name);
                });
        return List.copyOf(extents.values());
    }

    /** {@return the least number above the ids of all values, once they are checked} */
    int nextId() {
        return 1 + defined.stream().mapToInt(Tensor::id).max().orElse(-1);
    }

    private void block(List<Step> steps, Set<Tensor> visible) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> apply(apply, visible);
                case Step.Update(Tensor variable, Tensor value) -> {
                    require(
                            updatable.contains(variable),
                            "update of '%s', which is no variable",
                            variable.name());
                    see(visible, value, () -> "update of '" + variable.name() + "'");
                    sameType(value, variable.type(), () -> "update of '" + variable.name() + "'");
                }
                case Step.Repeat repeat -> repeat(repeat, visible);
            }
        }
    }

    private void apply(Step.Apply apply, Set<Tensor> visible) {
        apply.inputs().forEach(input -> see(visible, input, apply.op()::label));
        List<Type> types = apply.op().infer(apply.inputs().stream().map(Tensor::type).toList());
        require(
                types.size() == apply.results().size(),
                "%s has %d results, not %d",
                apply.op(),
                types.size(),
                apply.results().size());
        for (int i = 0; i < types.size(); i++) {
            sameType(apply.results().get(i), types.get(i), apply.op()::label);
            define(apply.results().get(i));
            visible.add(apply.results().get(i));
        }
    }

    private void repeat(Step.Repeat repeat, Set<Tensor> outside) {
        require(repeat.rounds() >= 1, "a repeat has at least 1 round, not %d", repeat.rounds());
        require(
                !repeat.carries().isEmpty(),
                "a repeat needs a carry: without one its rounds do nothing");
        Set<Tensor> inside = new HashSet<>(outside);
        sameType(repeat.round(), Type.i32(Shape.SCALAR), () -> "the round");
        enter(repeat.round(), inside);
        for (Step.Carry carry : repeat.carries()) {
            see(outside, carry.start(), () -> "repeat");
            sameType(
                    carry.inside(),
                    carry.start().type(),
                    () -> "carry '" + carry.start().name() + "'");
            enter(carry.inside(), inside);
        }
        for (Step.Row row : repeat.rows()) {
            see(outside, row.stacked(), () -> "repeat");
            Shape stacked = row.stacked().shape();
            require(
                    stacked.rank() >= 1 && stacked.extent(0).equals(Extent.of(repeat.rounds())),
                    "'%s' must have a row for each of %d rounds, is %s",
                    row.stacked().name(),
                    repeat.rounds(),
                    stacked);
            sameType(
                    row.row(),
                    row.stacked().type().with(stacked.withoutFirst()),
                    () -> "row of '" + row.stacked().name() + "'");
            enter(row.row(), inside);
        }
        block(repeat.body(), inside);
        Set<Tensor> ends = new HashSet<>();
        Set<Tensor> written = new HashSet<>();
        repeat.body().forEach(step -> written.addAll(Step.written(step)));
        for (Step.Carry carry : repeat.carries()) {
            see(inside, carry.end(), () -> "carry '" + carry.start().name() + "'");
            sameType(
                    carry.end(),
                    carry.inside().type(),
                    () -> "carry '" + carry.start().name() + "'");
            require(
                    carry.end() == carry.inside()
                            || (written.contains(carry.end()) && ends.add(carry.end())),
                    "carry '%s' must end in its own value or in one written by the body for it alone: copy '%s'",
                    carry.start().name(),
                    carry.end().name());
        }
        Set<Tensor> kept = new HashSet<>();
        Set<Tensor> computed = new HashSet<>();
        repeat.body().stream()
                .filter(Step.Apply.class::isInstance)
                .map(Step::written)
                .forEach(computed::addAll);
        for (Step.Collected collected : repeat.collected()) {
            require(
                    computed.contains(collected.each()) && kept.add(collected.each()),
                    "a collected value must be computed by an operation of the body and kept once: copy '%s'",
                    collected.each().name());
            Type each = collected.each().type();
            Type stacked = each.with(each.shape().prepend(Extent.of(repeat.rounds())));
            sameType(
                    collected.stacked(),
                    stacked,
                    () -> "collected '" + collected.each().name() + "'");
        }
        repeat.carries().forEach(carry -> enter(carry.result(), outside));
        repeat.collected().forEach(collected -> enter(collected.stacked(), outside));
    }

    private void enter(Tensor tensor, Set<Tensor> visible) {
        define(tensor);
        visible.add(tensor);
    }

    private void define(Tensor tensor) {
        require(defined.add(tensor), "'%s' is written twice", tensor.name());
        for (Extent extent : tensor.shape().extents()) {
            switch (extent) {
                case Extent.Fixed _ -> {}
                case Extent.Bounded bounded -> extent(bounded);
                case Extent.Borders borders -> extent(borders.of());
            }
        }
    }

    private void extent(Extent.Bounded extent) {
        Extent.Bounded known = extents.putIfAbsent(extent.name(), extent);
        require(
                known == null || known.equals(extent),
                "extent '%s' is bounded twice, %s and %s",
                extent.name(),
                known,
                extent);
    }

    private void see(Set<Tensor> visible, Tensor tensor, Supplier<String> where) {
        if (!visible.contains(tensor)) {
            require(
                    false,
                    "%s reads '%s', which %s",
                    where.get(),
                    tensor.name(),
                    defined.contains(tensor)
                            ? "lives only inside a repeat"
                            : "is not a value of this program");
        }
    }

    private void sameType(Tensor tensor, Type wanted, Supplier<String> what) {
        if (!tensor.type().equals(wanted)) {
            require(false, "%s must be %s, is %s", what.get(), wanted, tensor.type());
        }
    }

    private void require(boolean claim, String format, Object... values) {
        if (!claim) {
            throw new ProgramException(
                    "program '"
                            + program.name()
                            + "': "
                            + String.format(Locale.ROOT, format, values));
        }
    }
}

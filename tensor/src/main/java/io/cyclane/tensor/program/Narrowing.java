package io.cyclane.tensor.program;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The same program with its F32 values stored in fewer bits.
 *
 * <p>The rule, for all programs: parameters are of the stored type, and so is what an operation
 * computes from a value of that type, but for what it accumulates ({@link Type#accumulated}), which
 * is F32. What is computed from accumulated values alone stays F32: a pooled vector and its
 * normalised form, say. Inputs, outputs and variables keep their types, and a {@link Convert}
 * stands where they meet the others. A carry is of its start's type in every round.
 */
public final class Narrowing {
    private final DType stored;
    private final Map<Tensor, Tensor> own = new HashMap<>();

    /** What keeps its type and yet counts as stored: inputs, variables, stacks, rows and copies. */
    private final Set<Tensor> edges = new HashSet<>();

    /** Of those, what may change between two reads. */
    private final Set<Tensor> changing = new HashSet<>();

    private int nextId;

    private Narrowing(DType stored) {
        this.stored = stored;
    }

    /**
     * {@return the program with values stored so}
     *
     * @param stored a floating-point type that accumulates in F32
     */
    public static Program of(Program program, DType stored) {
        if (stored.accumulated() != DType.F32 || stored == DType.F32) {
            throw new IllegalArgumentException(stored + " does not stand for F32 in fewer bits");
        }
        return new Narrowing(stored).program(program);
    }

    private Program program(Program program) {
        List<Tensor> inputs = program.inputs().stream().map(t -> edge(t, t.type())).toList();
        Map<Tensor, Parameter> parameters = new LinkedHashMap<>();
        program.parameters()
                .forEach((t, p) -> {
                    Type type = p.type().dtype() == DType.F32 ? p.type().with(stored) : p.type();
                    parameters.put(renew(t, type), new Parameter(p.name(), type));
                });
        Map<Tensor, Variable> variables = new LinkedHashMap<>();
        program.variables()
                .forEach((t, v) -> {
                    variables.put(edge(t, v.type()), v);
                    changing.add(own.get(t));
                });
        List<Step> steps = new ArrayList<>();
        Block block = new Block(steps, new HashMap<>());
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        for (Step step : program.steps()) {
            block.add(step);
            // At once, so that the stored form of an output takes no place until the end.
            for (Tensor written : Step.written(step)) {
                program.outputs()
                        .forEach((name, tensor) -> {
                            if (tensor == written) {
                                outputs.put(name, block.as(own.get(written), written.dtype()));
                            }
                        });
            }
        }
        // In their own order, which callers see.
        Map<String, Tensor> ordered = new LinkedHashMap<>();
        program.outputs().keySet().forEach(name -> ordered.put(name, outputs.get(name)));
        List<String> notes = new ArrayList<>(program.notes());
        notes.add("values stored as " + stored);
        return new Program(program.name(), inputs, parameters, variables, steps, ordered, notes);
    }

    private Tensor renew(Tensor tensor, Type type) {
        Tensor renewed = new Tensor(nextId++, tensor.name(), type);
        own.put(tensor, renewed);
        return renewed;
    }

    private Tensor edge(Tensor tensor, Type type) {
        Tensor edge = renew(tensor, type);
        if (type.dtype() == DType.F32) {
            edges.add(edge);
        }
        return edge;
    }

    /** A value that is another at another time: of its type, and an edge if that is. */
    private Tensor follow(Tensor from, Tensor to) {
        return edges.contains(from) ? edge(to, from.type()) : renew(to, from.type());
    }

    /** Rows of ragged values: no operation but a copy takes the whole. */
    private static boolean isStack(Tensor tensor) {
        return tensor.shape().rank() > 1 && !tensor.shape().withoutFirst().isFixed();
    }

    /** The steps of one body, with the other forms of values that can be seen there. */
    private final class Block {
        private final List<Step> steps;
        private final Map<Tensor, Tensor> converted;

        Block(List<Step> steps, Map<Tensor, Tensor> converted) {
            this.steps = steps;
            this.converted = converted;
        }

        void add(Step step) {
            switch (step) {
                case Step.Apply apply -> add(apply);
                case Step.Update(Tensor variable, Tensor value) ->
                        steps.add(
                                new Step.Update(
                                        own.get(variable), as(own.get(value), variable.dtype())));
                case Step.Repeat repeat -> add(repeat);
            }
        }

        private void add(Step.Apply apply) {
            Op op = apply.op();
            List<Tensor> inputs = new ArrayList<>(apply.inputs().stream().map(own::get).toList());
            boolean keepsType =
                    op instanceof Convert
                            || op instanceof Copy && edges.contains(inputs.getFirst());
            if (!keepsType) {
                boolean isStored = false;
                for (int i = 0; i < inputs.size(); i++) {
                    isStored |= !op.takesAccumulated(i) && isStored(inputs.get(i));
                }
                for (int i = 0; i < inputs.size(); i++) {
                    DType dtype = inputs.get(i).dtype();
                    if (isStored && (dtype == DType.F32 || dtype == stored)) {
                        DType wanted = op.takesAccumulated(i) ? DType.F32 : stored;
                        inputs.set(i, as(inputs.get(i), wanted));
                    }
                }
            }
            List<Type> types = op.infer(inputs.stream().map(Tensor::type).toList());
            List<Tensor> results = new ArrayList<>();
            for (int i = 0; i < types.size(); i++) {
                Tensor result = apply.results().get(i);
                boolean isEdge = keepsType && op instanceof Copy;
                results.add(isEdge ? edge(result, types.get(i)) : renew(result, types.get(i)));
            }
            steps.add(new Step.Apply(op, inputs, results, 0));
        }

        private void add(Step.Repeat repeat) {
            List<Tensor> starts = new ArrayList<>();
            for (Step.Carry carry : repeat.carries()) {
                Tensor start = own.get(carry.start());
                starts.add(isStored(start) && !isStack(start) ? as(start, stored) : start);
                follow(starts.getLast(), carry.inside());
            }
            List<Step.Row> rows = new ArrayList<>();
            for (Step.Row row : repeat.rows()) {
                Tensor stacked = own.get(row.stacked());
                Type type = row.row().type().with(stacked.dtype());
                if (!edges.contains(stacked)) {
                    renew(row.row(), type);
                } else if (changing.contains(stacked)) {
                    changing.add(edge(row.row(), type));
                } else {
                    edge(row.row(), type);
                }
                rows.add(new Step.Row(stacked, own.get(row.row())));
            }
            Tensor round = renew(repeat.round(), repeat.round().type());
            Block body = new Block(new ArrayList<>(), new HashMap<>(converted));
            repeat.body().forEach(body::add);
            List<Step.Carry> carries = new ArrayList<>();
            for (int i = 0; i < starts.size(); i++) {
                Step.Carry carry = repeat.carries().get(i);
                Tensor inside = own.get(carry.inside());
                Tensor end = own.get(carry.end());
                carries.add(
                        new Step.Carry(
                                starts.get(i),
                                inside,
                                end.dtype() == inside.dtype()
                                        ? end
                                        : body.convert(end, inside.dtype()),
                                follow(inside, carry.result())));
            }
            List<Step.Collected> collected = new ArrayList<>();
            for (Step.Collected kept : repeat.collected()) {
                Tensor each = own.get(kept.each());
                DType dtype = kept.each().dtype();
                collected.add(
                        new Step.Collected(
                                each.dtype() == dtype ? each : body.convert(each, dtype),
                                edge(kept.stacked(), kept.stacked().type())));
            }
            steps.add(
                    new Step.Repeat(repeat.rounds(), round, carries, rows, collected, body.steps));
        }

        private boolean isStored(Tensor tensor) {
            return tensor.dtype() == stored || edges.contains(tensor);
        }

        /** The value in a type: itself, or converted, once for all that read it. */
        private Tensor as(Tensor tensor, DType dtype) {
            if (tensor.dtype() == dtype) {
                return tensor;
            }
            if (changing.contains(tensor)) {
                return convert(tensor, dtype);
            }
            Tensor known = converted.get(tensor);
            if (known == null) {
                known = convert(tensor, dtype);
                converted.put(tensor, known);
            }
            return known;
        }

        private Tensor convert(Tensor tensor, DType dtype) {
            Tensor other = new Tensor(nextId++, tensor.name(), tensor.type().with(dtype));
            steps.add(new Step.Apply(new Convert(dtype), List.of(tensor), List.of(other), 0));
            return other;
        }
    }
}

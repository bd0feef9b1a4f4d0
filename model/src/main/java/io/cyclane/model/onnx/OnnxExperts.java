package io.cyclane.model.onnx;

import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What routing and experts are in an ONNX graph.
 *
 * <p>There is no product there of rows with matrices of their own but by copying a matrix for every
 * row. So all experts are multiplied in one dense product, of which a mask of the chosen ones keeps
 * what counts: with thin factors that is less than copying, and less than an eighth of the base
 * layer's work for 8 experts of rank 16.
 */
final class OnnxExperts {
    private static final int FLOAT = 1;
    private static final String BATCH = OnnxProgram.BATCH;
    private static final String SEQUENCE = OnnxProgram.SEQUENCE;

    private final OnnxWriter graph;
    private final boolean isOpen;
    private final Map<String, String> masks = new HashMap<>();
    private final Map<String, String> flat = new HashMap<>();
    private final List<String> experts = new ArrayList<>();
    private final List<String> gates = new ArrayList<>();
    private final List<String> scores = new ArrayList<>();
    private int chosen;
    private int count;

    /**
     * The experts of a graph.
     *
     * @param isOpen whether choices can be given from outside, and are told
     */
    OnnxExperts(OnnxWriter graph, boolean isOpen) {
        this.graph = graph;
        this.isOpen = isOpen;
    }

    /** Experts, gates and probabilities of a router's next application. */
    List<String> route(Route op, Step.Apply apply, String x, String turned) {
        String score = graph.node("MatMul", x, turned).one();
        String probabilities = graph.node("Softmax", score).with("axis", -1).one();
        List<String> best =
                graph.nodes(2, "TopK", score, graph.integers(op.chosen())).with("axis", -1).all();
        String own =
                op.renormalised()
                        ? graph.node("Softmax", best.get(0)).with("axis", -1).one()
                        : graph.node("GatherElements", probabilities, best.get(1))
                                .with("axis", -1)
                                .one();
        scores.add(score);
        chosen = op.chosen();
        count = apply.inputs().get(1).shape().extent(0).bound();
        if (!isOpen) {
            return List.of(best.get(1), own, probabilities);
        }
        String given = given(OnnxProgram.GATES);
        String isGiven = graph.node("GreaterOrEqual", given, graph.number(0)).one();
        String taken = graph.node("Where", isGiven, given(OnnxProgram.EXPERTS), best.get(1)).one();
        String weights = graph.node("Where", isGiven, given, own).one();
        experts.add(taken);
        gates.add(weights);
        return List.of(taken, weights, probabilities);
    }

    /** The row of an input that belongs to the application being recorded. */
    private String given(String input) {
        String place = graph.integers(experts.size());
        String one = graph.node("Gather", input, place).one();
        return graph.node("Squeeze", one, graph.integers(0)).one();
    }

    /**
     * Makes inputs of what is to be chosen and outputs of what was, if choices are open; called
     * once all is recorded. Inputs left out are one choice of a negative gate for each application,
     * which is broadcast over texts and tokens.
     *
     * @throws BackendException when they are to be told and nothing was chosen
     */
    void finish(String program) {
        if (!isOpen) {
            return;
        }
        if (experts.isEmpty()) {
            throw new BackendException(
                    "program '%s' has no routers whose choices could be given: do without inputs for them (--routing-inputs)"
                            .formatted(program));
        }
        String rows = Integer.toString(experts.size());
        String each = Integer.toString(chosen);
        String all = Integer.toString(count);
        List<Long> own = List.of((long) experts.size(), 1L, 1L, (long) chosen);
        graph.optionalInput(OnnxProgram.EXPERTS, own, rows, BATCH, SEQUENCE, each);
        graph.optionalFloatInput(OnnxProgram.GATES, -1, own, rows, BATCH, SEQUENCE, each);
        graph.integerOutput(
                OnnxProgram.CHOSEN_EXPERTS, stacked(experts), rows, BATCH, SEQUENCE, each);
        graph.output(OnnxProgram.CHOSEN_GATES, stacked(gates), rows, BATCH, SEQUENCE, each);
        graph.output(OnnxProgram.SCORES, stacked(scores), rows, BATCH, SEQUENCE, all);
    }

    private String stacked(List<String> values) {
        String[] rows =
                values.stream()
                        .map(value -> graph.node("Unsqueeze", value, graph.integers(0)).one())
                        .toArray(String[]::new);
        return graph.node("Concat", rows).with("axis", 0).one();
    }

    /** 1 for each choice's expert, [batch, sequence, k, E, 1]; made once for each choice. */
    private String mask(String chosenExperts, int all) {
        return masks.computeIfAbsent(
                chosenExperts,
                _ -> {
                    long[] numbers = new long[all];
                    for (int e = 0; e < all; e++) {
                        numbers[e] = e;
                    }
                    String column =
                            graph.node("Unsqueeze", chosenExperts, graph.integers(-1)).one();
                    String isIt = graph.node("Equal", column, graph.integers(numbers)).one();
                    String mask = graph.node("Cast", isIt).with("to", FLOAT).one();
                    return graph.node("Unsqueeze", mask, graph.integers(-1)).one();
                });
    }

    /** The sum over the choices of a row, each times its gate. */
    String combine(String gate, String x) {
        String column = graph.node("Unsqueeze", gate, graph.integers(-1)).one();
        return summed(graph.node("Mul", x, column).one(), -2);
    }

    private String summed(String x, int axis) {
        return graph.node("ReduceSum", x, graph.integers(axis)).with("keepdims", 0).one();
    }

    /** Products of rows with the matrices of their experts, [batch, sequence, k, O]. */
    String product(ExpertMatMul op, Step.Apply apply, List<String> from) {
        Tensor x = apply.inputs().get(0);
        Shape weight = apply.inputs().get(2).shape();
        int all = weight.extent(0).bound();
        int outputs = weight.extent(1).bound();
        int inputs = weight.extent(2).bound();
        boolean isShared = ExpertMatMul.isShared(x.type(), apply.inputs().get(1).type());
        String mask = mask(from.get(1), all);
        String y;
        if (outputs <= inputs) {
            // All experts' products, of which each choice keeps its own.
            String products = graph.node("MatMul", from.get(0), columns(from.get(2), weight)).one();
            String parted =
                    graph.node(
                                    "Reshape",
                                    products,
                                    isShared
                                            ? graph.integers(0, 0, 1, all, outputs)
                                            : graph.integers(0, 0, 0, all, outputs))
                            .one();
            y = summed(graph.node("Mul", parted, mask).one(), -2);
        } else {
            // The row in its expert's place among zeros, times all experts' matrices as one.
            String row =
                    graph.node(
                                    "Unsqueeze",
                                    from.get(0),
                                    isShared ? graph.integers(2, 3) : graph.integers(3))
                            .one();
            String placed = graph.node("Mul", row, mask).one();
            String wide =
                    graph.node("Reshape", placed, graph.integers(0, 0, 0, (long) all * inputs))
                            .one();
            y = graph.node("MatMul", wide, rows(from.get(2), weight)).one();
        }
        if (op.scale() != 1) {
            y = graph.node("Mul", y, graph.number(op.scale())).one();
        }
        if (!op.base()) {
            return y;
        }
        String base = graph.node("Unsqueeze", from.get(3), graph.integers(2)).one();
        return graph.node("Add", y, base).one();
    }

    /** All experts' matrices [E, O, I] side by side, [I, E O]. */
    private String columns(String weight, Shape shape) {
        return flat.computeIfAbsent(
                weight + " columns",
                _ -> {
                    int inputs = shape.extent(2).bound();
                    String rows = graph.node("Reshape", weight, graph.integers(-1, inputs)).one();
                    return graph.node("Transpose", rows).with("perm", List.of(1L, 0L)).one();
                });
    }

    /** All experts' matrices [E, O, I] on top of each other, [E I, O]. */
    private String rows(String weight, Shape shape) {
        return flat.computeIfAbsent(
                weight + " rows",
                _ -> {
                    String turned =
                            graph.node("Transpose", weight).with("perm", List.of(0L, 2L, 1L)).one();
                    int outputs = shape.extent(1).bound();
                    return graph.node("Reshape", turned, graph.integers(-1, outputs)).one();
                });
    }

    /**
     * The mixture of whole layers in its cheap form: one product with each base weight. Thin values
     * of all experts, E R wide, are masked where they are and not gathered; after the gate those of
     * all choices are summed before the last factor, so that it is applied once.
     *
     * @param wi the first base weight, [D, 2X]
     * @param wo the second, [X, O]
     */
    String mixture(MolGeGlu op, Step.Apply apply, List<String> from, String wi, String wo) {
        Shape first = apply.inputs().get(MolGeGlu.A1).shape();
        int all = first.extent(0).bound();
        int rank = first.extent(1).bound();
        String mask = mask(from.get(MolGeGlu.EXPERTS), all);
        String x = from.get(MolGeGlu.X);
        String base = graph.node("MatMul", x, wi).one();
        String down = graph.node("MatMul", x, columns(from, apply, MolGeGlu.A1)).one();
        String parted = graph.node("Reshape", down, graph.integers(0, 0, 1, all, rank)).one();
        String factor = graph.node("Mul", mask, graph.number(op.scale())).one();
        String kept = flattened(graph.node("Mul", parted, factor).one(), all * rank);
        String update = graph.node("MatMul", kept, rows(from, apply, MolGeGlu.B1)).one();
        String shared = graph.node("Unsqueeze", base, graph.integers(2)).one();
        String wide = graph.node("Add", update, shared).one();
        String each = OnnxMath.glu(graph, wide, Activation.GELU);
        String mixed = combine(from.get(MolGeGlu.GATES), each);
        String narrow = graph.node("MatMul", each, columns(from, apply, MolGeGlu.A2)).one();
        String apart = graph.node("Reshape", narrow, graph.integers(0, 0, 0, all, rank)).one();
        String gate =
                graph.node("Unsqueeze", from.get(MolGeGlu.GATES), graph.integers(-2, -1)).one();
        String weight = graph.node("Mul", factor, gate).one();
        String chosenParts = summed(graph.node("Mul", apart, weight).one(), 2);
        String thin =
                graph.node("Reshape", chosenParts, graph.integers(0, 0, (long) all * rank)).one();
        String y =
                graph.node(
                                "Add",
                                graph.node("MatMul", mixed, wo).one(),
                                graph.node("MatMul", thin, rows(from, apply, MolGeGlu.B2)).one())
                        .one();
        return op.residual() ? graph.node("Add", y, from.get(MolGeGlu.RESIDUAL)).one() : y;
    }

    private String flattened(String x, int columns) {
        return graph.node("Reshape", x, graph.integers(0, 0, 0, columns)).one();
    }

    private String columns(List<String> from, Step.Apply apply, int input) {
        return columns(from.get(input), apply.inputs().get(input).shape());
    }

    private String rows(List<String> from, Step.Apply apply, int input) {
        return rows(from.get(input), apply.inputs().get(input).shape());
    }
}

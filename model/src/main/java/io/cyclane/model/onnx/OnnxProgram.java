package io.cyclane.model.onnx;

import io.cyclane.model.checkpoint.OnnxWriter;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Combine;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Multiply;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.op.Scale;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a program of a text model as an ONNX graph: a backend of a kind, of which another runtime
 * does the running.
 *
 * <p>A batch there is padded: what is [T, ..] here is [batch, sequence, ..], what is [S, ..] is
 * [batch, ..], and offsets become a mask of the tokens that are real. Rounds of a repeat are
 * written out; all read the same initializers.
 */
public final class OnnxProgram {
    static final String IDS = "input_ids";
    static final String MASK = "attention_mask";
    static final String TYPES = "token_type_ids";
    static final String BATCH = "batch";
    static final String SEQUENCE = "sequence";
    static final String EXPERTS = "experts";
    static final String GATES = "gates";
    static final String CHOSEN_EXPERTS = "chosen_experts";
    static final String CHOSEN_GATES = "chosen_gates";
    static final String SCORES = "router_scores";

    private final OnnxWriter graph;
    private final Program program;
    private final boolean isFused;
    private final OnnxFusions fusions;
    private final OnnxAttention attention;
    private final OnnxExperts experts;
    private final Map<Tensor, String> names = new HashMap<>();
    private final Map<String, String> transposed = new HashMap<>();

    private OnnxProgram(OnnxWriter graph, Program program, boolean isFused, boolean isOpen) {
        this.graph = graph;
        this.program = program;
        this.isFused = isFused;
        this.fusions = new OnnxFusions(graph, program, this::transposed);
        this.attention = new OnnxAttention(graph, isFused);
        this.experts = new OnnxExperts(graph, isOpen);
    }

    /**
     * Records a program in a graph, without the numbers of its weights.
     *
     * @param isFused whether ONNX Runtime's own operations are written where it has them, which
     *     other runtimes have not
     * @param isOpen whether routers' choices can be given as inputs, and are told as outputs
     * @throws BackendException when the program does what a text model's does not
     */
    public static void write(OnnxWriter graph, Program program, boolean isFused, boolean isOpen) {
        OnnxProgram onnx = new OnnxProgram(graph, program, isFused, isOpen);
        program.variables().values().stream().findFirst().ifPresent(onnx::refuse);
        onnx.inputs();
        program.parameters().forEach((tensor, weight) -> onnx.names.put(tensor, weight.name()));
        onnx.block(program.steps());
        program.outputs().forEach(onnx::output);
        onnx.experts.finish(program.name());
    }

    private void refuse(Variable variable) {
        throw new BackendException(
                "program '%s' keeps '%s' across runs, which no ONNX model does"
                        .formatted(program.name(), variable.name()));
    }

    private void inputs() {
        graph.input(IDS, BATCH, SEQUENCE);
        graph.input(MASK, BATCH, SEQUENCE);
        for (Tensor input : program.inputs()) {
            switch (input.name()) {
                case RaggedBatch.IDS -> names.put(input, IDS);
                case RaggedBatch.OFFSETS -> names.put(input, MASK);
                case RaggedBatch.TYPES -> {
                    names.put(input, TYPES);
                    if (isRead(input, program.steps())) {
                        graph.input(TYPES, BATCH, SEQUENCE);
                    }
                }
                default ->
                        throw new BackendException(
                                "program '%s' has an input '%s', which no ONNX text model has"
                                        .formatted(program.name(), input.name()));
            }
        }
    }

    private static boolean isRead(Tensor tensor, List<Step> steps) {
        return steps.stream()
                .anyMatch(step ->
                        switch (step) {
                            case Step.Apply apply -> apply.inputs().contains(tensor);
                            case Step.Update update -> update.value() == tensor;
                            case Step.Repeat repeat -> isRead(tensor, repeat.body());
                        });
    }

    private void output(String name, Tensor tensor) {
        List<String> extents = new ArrayList<>();
        for (Extent extent : tensor.shape().extents()) {
            switch (extent) {
                case Extent.Fixed fixed -> extents.add(Integer.toString(fixed.bound()));
                case Extent.Bounded bounded -> {
                    extents.add(BATCH);
                    if (bounded.name().equals(RaggedBatch.TOKENS)) {
                        extents.add(SEQUENCE);
                    }
                }
                case Extent.Borders _ -> throw new AssertionError("offsets are no output");
            }
        }
        graph.output(name, fusions.value(names.get(tensor)), extents.toArray(String[]::new));
    }

    private void block(List<Step> steps) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    List<String> from = apply.inputs().stream().map(names::get).toList();
                    List<String> results = fused(apply.op(), apply, from);
                    for (int i = 0; i < results.size(); i++) {
                        names.put(apply.results().get(i), results.get(i));
                    }
                }
                case Step.Update update ->
                        throw new AssertionError(update + " of a program without variables");
                case Step.Repeat repeat -> repeat(repeat);
            }
        }
    }

    private void repeat(Step.Repeat repeat) {
        Map<Tensor, List<String>> kept = new HashMap<>();
        repeat.carries().forEach(carry -> names.put(carry.inside(), names.get(carry.start())));
        for (int round = 0; round < repeat.rounds(); round++) {
            for (Step.Row row : repeat.rows()) {
                String place = graph.integers(round);
                String rows = fusions.value(names.get(row.stacked()));
                String one = graph.node("Gather", rows, place).one();
                names.put(row.row(), graph.node("Squeeze", one, graph.integers(0)).one());
            }
            block(repeat.body());
            for (Step.Collected collected : repeat.collected()) {
                String each = fusions.value(names.get(collected.each()));
                kept.computeIfAbsent(collected.stacked(), _ -> new ArrayList<>())
                        .add(graph.node("Unsqueeze", each, graph.integers(0)).one());
            }
            List<String> ends =
                    repeat.carries().stream().map(carry -> names.get(carry.end())).toList();
            for (int i = 0; i < ends.size(); i++) {
                names.put(repeat.carries().get(i).inside(), ends.get(i));
                names.put(repeat.carries().get(i).result(), ends.get(i));
            }
        }
        kept.forEach((stacked, rounds) ->
                names.put(
                        stacked,
                        graph.node("Concat", rounds.toArray(String[]::new)).with("axis", 0).one()));
    }

    /** What stands for an operation whose inputs may wait to be fused with it. */
    private List<String> fused(Op op, Step.Apply apply, List<String> from) {
        if (isFused) {
            List<String> results =
                    op instanceof Attention a
                            ? List.of(fusions.attend(a, from, attention.seen(a)))
                            : fusions.results(op, apply, from);
            if (!results.isEmpty()) {
                return results;
            }
        }
        return results(op, apply, from.stream().map(fusions::value).toList());
    }

    /** What stands for an operation in the graph: one line each. */
    private List<String> results(Op op, Step.Apply apply, List<String> from) {
        String x = from.getFirst();
        return switch (op) {
            case Activate activate -> List.of(OnnxMath.activate(graph, x, activate.function()));
            case Add _ -> List.of(graph.node("Add", x, from.get(1)).one());
            case Attention a -> List.of(attention.attend(a, width(apply), from));
            case Combine _ -> List.of(experts.combine(x, from.get(1)));
            case Convert _ -> throw new AssertionError(op + " of a program as it is recorded");
            case Copy _ -> List.of(graph.node("Identity", x).one());
            case Embedding _ -> List.of(graph.node("Gather", x, from.get(1)).one());
            case ExpertMatMul product -> List.of(experts.product(product, apply, from));
            case Glu glu -> List.of(OnnxMath.glu(graph, x, glu.function()));
            case L2Normalize norm -> List.of(OnnxMath.l2Normalize(graph, x, norm.floor()));
            case LayerNorm norm -> List.of(OnnxMath.layerNorm(graph, norm, from));
            case MatMul product ->
                    List.of(
                            graph.node(
                                            "MatMul",
                                            x,
                                            product.transposed()
                                                    ? transposed(from.get(1))
                                                    : from.get(1))
                                    .one());
            case MolGeGlu mol when !mol.mixedWeights() ->
                    List.of(
                            experts.mixture(
                                    mol,
                                    apply,
                                    from,
                                    transposed(from.get(MolGeGlu.WI)),
                                    transposed(from.get(MolGeGlu.WO))));
            case Multiply _ -> List.of(graph.node("Mul", x, from.get(1)).one());
            case Pool pool -> List.of(pool(pool, x));
            case Positions places -> List.of(OnnxMath.positions(graph, IDS, places.first()));
            case RmsNorm norm -> List.of(OnnxMath.rmsNorm(graph, norm, from));
            case Route route -> experts.route(route, apply, x, transposed(from.get(1)));
            case Rotary _ -> List.of(attention.turn(apply, from));
            case Scale scale -> List.of(graph.node("Mul", x, graph.number(scale.factor())).one());
            case Softmax _ -> List.of(graph.node("Softmax", x).with("axis", -1).one());
            case Split split -> OnnxMath.split(graph, x, split.parts());
            case Op.Composite composite -> expanded(composite, apply);
        };
    }

    private static int width(Step.Apply apply) {
        return apply.inputs().getFirst().shape().last();
    }

    /** A composite is written as what it stands for; only tensors of this program have names. */
    private List<String> expanded(Op.Composite composite, Step.Apply apply) {
        List<Tensor> results =
                composite.expand(
                        (op, inputs) -> {
                            List<Tensor> own =
                                    op.infer(inputs.stream().map(Tensor::type).toList()).stream()
                                            .map(type -> new Tensor(-1, op.label(), type))
                                            .toList();
                            block(List.of(new Step.Apply(op, inputs, own, 0)));
                            return own;
                        },
                        apply.inputs());
        return results.stream().map(names::get).toList();
    }

    /** Matrices stay as checkpoints store them; a runtime turns them once, when it loads. */
    private String transposed(String matrix) {
        return transposed.computeIfAbsent(
                matrix, _ -> graph.node("Transpose", matrix).with("perm", List.of(1L, 0L)).one());
    }

    private String pool(Pool pool, String x) {
        return switch (pool.kind()) {
            case OWN -> x; // [batch, ..] already, and no text of a padded batch is empty
            case CLS -> {
                String first = graph.node("Gather", x, graph.integers(0)).with("axis", 1).one();
                yield graph.node("Squeeze", first, graph.integers(1)).one();
            }
            case MEAN -> {
                String real = graph.node("Cast", MASK).with("to", 1).one();
                String column = graph.node("Unsqueeze", real, graph.integers(-1)).one();
                String kept = graph.node("Mul", x, column).one();
                String sum = sum(kept);
                String count = graph.node("Max", sum(column), graph.number(1)).one();
                yield graph.node("Div", sum, count).one();
            }
        };
    }

    private String sum(String x) {
        return graph.node("ReduceSum", x, graph.integers(1)).with("keepdims", 0).one();
    }
}

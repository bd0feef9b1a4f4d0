package io.cyclane.cpu;

import io.cyclane.cpu.activation.ActivateKernel;
import io.cyclane.cpu.activation.GluKernel;
import io.cyclane.cpu.activation.SoftmaxKernel;
import io.cyclane.cpu.attention.AttentionKernel;
import io.cyclane.cpu.elementwise.AddKernel;
import io.cyclane.cpu.elementwise.MultiplyKernel;
import io.cyclane.cpu.elementwise.ScaleKernel;
import io.cyclane.cpu.elementwise.SplitKernel;
import io.cyclane.cpu.embedding.EmbeddingKernel;
import io.cyclane.cpu.embedding.PositionsKernel;
import io.cyclane.cpu.embedding.RotaryKernel;
import io.cyclane.cpu.experts.CombineKernel;
import io.cyclane.cpu.experts.ExpertMatMulKernel;
import io.cyclane.cpu.experts.RouteKernel;
import io.cyclane.cpu.gemm.ExpertPacking;
import io.cyclane.cpu.gemm.MolGeGluKernel;
import io.cyclane.cpu.gemm.PanelPacking;
import io.cyclane.cpu.norm.L2NormalizeKernel;
import io.cyclane.cpu.norm.NormKernel;
import io.cyclane.cpu.pooling.PoolKernel;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.host.CopyKernel;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.KernelSet;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Packing;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.host.RowsPacking;
import io.cyclane.tensor.op.Activate;
import io.cyclane.tensor.op.Add;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Combine;
import io.cyclane.tensor.op.Convert;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.ExpertMatMul;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Multiply;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.op.RmsNorm;
import io.cyclane.tensor.op.Rotary;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.op.Scale;
import io.cyclane.tensor.op.Softmax;
import io.cyclane.tensor.op.Split;
import io.cyclane.tensor.program.EarlyPooling;
import io.cyclane.tensor.program.FeedForwardFusion;
import io.cyclane.tensor.program.LinearFusion;
import io.cyclane.tensor.program.NormFusion;
import io.cyclane.tensor.program.Program;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Which kernel runs which operation on the CPU: one line each. */
final class CpuKernels implements KernelSet {
    /** Which of a kernel's two forms runs. */
    enum Form {
        /** The scalar twin until the vectors are compiled. */
        SCALAR_FIRST,
        SCALAR,
        VECTOR
    }

    private final Workers workers;
    private final boolean fused;
    private final Form form;
    private final DenseKernels dense;

    /**
     * The kernels on a pool of threads.
     *
     * @param fused whether feed-forward blocks run block of rows by block of rows; the bits are the
     *     same either way
     */
    CpuKernels(Workers workers, boolean fused, Form form) {
        this.workers = workers;
        this.fused = fused;
        this.form = form;
        dense = new DenseKernels(workers);
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        int threads = workers.threads();
        return "cpu, "
                + Lanes.description()
                + ", "
                + threads
                + " thread"
                + (threads == 1 ? "" : "s");
    }

    @Override
    public boolean isWarm() {
        return form != Form.SCALAR_FIRST || WarmUp.isDone();
    }

    @Override
    public Program prepare(Program program) {
        Program joined = LinearFusion.of(program);
        return EarlyPooling.of(fused ? NormFusion.of(FeedForwardFusion.of(joined)) : joined);
    }

    /**
     * Values are F32 here, and nothing converts them. A dense layer reads its matrix in panels,
     * which are made of weights; one computed at run time is a plain product.
     */
    @Override
    public boolean has(Op op, List<Type> inputs, IntPredicate isWeight) {
        if (inputs.stream()
                .anyMatch(type -> type.dtype() != DType.F32 && type.dtype() != DType.I32)) {
            return false;
        }
        return switch (op) {
            case Convert _ -> false;
            case Linear _ -> isWeight.test(1);
            case FeedForward both -> isWeight.test(1) && isWeight.test(both.secondWeight());
            case Normed normed -> has(normed.body(), inputs, isWeight);
            case MolGeGlu _ ->
                    inputs.get(MolGeGlu.A1).shape().extent(1).bound() <= MolGeGluKernel.MOST_RANK
                            && IntStream.rangeClosed(MolGeGlu.WI, MolGeGlu.B2).allMatch(isWeight);
            default -> true;
        };
    }

    @Override
    public long scratchBytes(Op op, List<Type> inputs) {
        return switch (op) {
            case Linear _, FeedForward _, MatMul _, Normed _ -> dense.scratchBytes(op, inputs);
            case Attention attention ->
                    workers.threads()
                            * AttentionKernel.scratchBytes(
                                    inputs.getFirst().shape().last() / attention.heads());
            case Route _ ->
                    workers.threads()
                            * RouteKernel.scratchBytes(inputs.get(1).shape().extent(0).bound());
            case MolGeGlu mol ->
                    MolGeGluKernel.scratchBytes(
                            workers.threads(),
                            DenseKernels.mostRows(inputs.getFirst()),
                            form(mol, inputs));
            case Activate _,
                    Add _,
                    Combine _,
                    Convert _,
                    Copy _,
                    Embedding _,
                    ExpertMatMul _,
                    Glu _,
                    L2Normalize _,
                    LayerNorm _,
                    Multiply _ ->
                    0;
            case Pool _, Positions _, RmsNorm _, Rotary _, Scale _, Softmax _, Split _ -> 0;
        };
    }

    @Override
    public Packing packing(Op op, int input) {
        return op instanceof MolGeGlu ? factors(input) : DenseKernels.packing(op, input);
    }

    private static Packing factors(int input) {
        return switch (input) {
            case MolGeGlu.WI -> PanelPacking.PAIRED_OUTPUT_ROWS;
            case MolGeGlu.WO -> PanelPacking.OUTPUT_ROWS;
            case MolGeGlu.A1, MolGeGlu.A2 -> ExpertPacking.STACKED;
            case MolGeGlu.B1 -> ExpertPacking.PAIRED_OUTPUTS;
            case MolGeGlu.B2 -> ExpertPacking.OUTPUTS;
            default -> RowsPacking.ROWS;
        };
    }

    @Override
    public Kernel kernel(Op op, Operands to) {
        Kernel kernel = bind(op, to);
        if (!(kernel instanceof TwinKernel twin)) {
            return kernel;
        }
        return switch (form) {
            case SCALAR_FIRST -> new ColdKernel(twin, WarmUp.of(CodePath.of(op, to)));
            case SCALAR -> twin::runScalar;
            case VECTOR -> twin;
        };
    }

    private Kernel bind(Op op, Operands to) {
        Type x = to.inputType(0);
        Place in = to.input(0);
        int width = x.shape().last();
        return switch (op) {
            case Activate activate ->
                    new ActivateKernel(
                            in, to.result(), to.rows(x), width, activate.function(), workers);
            case Add _ ->
                    new AddKernel(
                            in, to.input(1), to.result(), to.rows(x), width, isVector(to), workers);
            case Attention attention -> attention(attention, to);
            case Combine _ ->
                    new CombineKernel(
                            in,
                            to.input(1),
                            to.result(),
                            to.rows(x),
                            width,
                            to.resultType(0).shape().last(),
                            workers);
            case Convert _ -> throw new AssertionError(op + " has no kernel");
            case Copy _ -> new CopyKernel(in, to.result(), to.elements(x), x.dtype().bytes());
            case Embedding _ ->
                    new EmbeddingKernel(
                            in,
                            to.input(1),
                            to.result(),
                            to.elements(to.inputType(1)),
                            x.shape().extent(0).bound(),
                            width,
                            workers);
            case ExpertMatMul product -> expertMatMul(product, to);
            case FeedForward _, Linear _, MatMul _, Normed _ -> dense.kernel(op, to);
            case Glu glu ->
                    new GluKernel(in, to.result(), to.rows(x), width / 2, glu.function(), workers);
            case L2Normalize norm ->
                    new L2NormalizeKernel(
                            in, to.result(), to.rows(x), width, norm.floor(), workers);
            case LayerNorm _, RmsNorm _ ->
                    new NormKernel(
                            DenseKernels.norm(op, to, width, 1),
                            in,
                            to.result(),
                            to.rows(x),
                            workers);
            case MolGeGlu mol -> molGeGlu(mol, to);
            case Multiply _ ->
                    new MultiplyKernel(
                            in, to.input(1), to.result(), to.rows(x), width, isVector(to), workers);
            case Pool pool ->
                    new PoolKernel(
                            in,
                            to.input(1),
                            to.result(),
                            to.rows(to.resultType(0)),
                            width,
                            pool.kind(),
                            workers);
            case Positions positions ->
                    new PositionsKernel(in, to.result(), sequences(to, x), positions.first());
            case Rotary _ -> rotary(to);
            case Route route -> route(route, to);
            case Scale scale ->
                    new ScaleKernel(in, to.result(), to.rows(x), width, scale.factor(), workers);
            case Softmax _ -> new SoftmaxKernel(in, to.result(), to.rows(x), width, workers);
            case Split _ -> new SplitKernel(in, places(to), to.rows(x), width, workers);
        };
    }

    private Kernel attention(Attention attention, Operands to) {
        int width = to.inputType(0).shape().last();
        return new AttentionKernel(
                new AttentionKernel.Rows(to.input(0), width),
                new AttentionKernel.Rows(to.input(1), width),
                new AttentionKernel.Rows(to.input(2), width),
                new AttentionKernel.Rows(to.result(), width),
                to.result(1),
                to.input(3),
                sequences(to, to.inputType(3)),
                attention.heads(),
                width / attention.heads(),
                attention.scale(),
                attention.window(),
                to.scratch(),
                workers);
    }

    private Kernel molGeGlu(MolGeGlu mol, Operands to) {
        Type x = to.inputType(MolGeGlu.X);
        return new MolGeGluKernel(
                workers,
                form(mol, to.inputTypes()),
                to.rows(x),
                DenseKernels.mostRows(x),
                new MolGeGluKernel.Operands(
                        to.input(MolGeGlu.X),
                        to.input(MolGeGlu.EXPERTS),
                        to.input(MolGeGlu.GATES),
                        to.input(MolGeGlu.WI),
                        to.input(MolGeGlu.WO),
                        to.input(MolGeGlu.A1),
                        to.input(MolGeGlu.B1),
                        to.input(MolGeGlu.A2),
                        to.input(MolGeGlu.B2),
                        mol.residual() ? to.input(MolGeGlu.RESIDUAL) : null,
                        to.result()),
                to.scratch());
    }

    private static MolGeGluKernel.Form form(MolGeGlu mol, List<Type> inputs) {
        Shape first = inputs.get(MolGeGlu.A1).shape();
        Shape out = inputs.get(MolGeGlu.WO).shape();
        return new MolGeGluKernel.Form(
                first.last(),
                out.last(),
                out.extent(0).bound(),
                first.extent(0).bound(),
                first.extent(1).bound(),
                inputs.get(MolGeGlu.EXPERTS).shape().last(),
                mol.scale(),
                mol.mixedWeights());
    }

    private Kernel expertMatMul(ExpertMatMul product, Operands to) {
        Type x = to.inputType(0);
        Type experts = to.inputType(1);
        Shape weight = to.inputType(2).shape();
        return new ExpertMatMulKernel(
                new ExpertMatMulKernel.Form(
                        weight.extent(0).bound(),
                        weight.extent(1).bound(),
                        weight.extent(2).bound(),
                        experts.shape().last(),
                        ExpertMatMul.isShared(x, experts),
                        product.scale()),
                to.elements(experts),
                to.input(0),
                to.input(1),
                to.input(2),
                product.base() ? to.input(3) : null,
                to.result(),
                workers);
    }

    private Kernel route(Route route, Operands to) {
        Type x = to.inputType(0);
        return new RouteKernel(
                to.inputName(1),
                new RouteKernel.Form(
                        x.shape().last(),
                        to.inputType(1).shape().extent(0).bound(),
                        route.chosen(),
                        route.renormalised()),
                to.rows(x),
                to.input(0),
                to.input(1),
                to.writtenResult(0),
                to.writtenResult(1),
                to.result(2),
                to.scratch(),
                workers);
    }

    private Kernel rotary(Operands to) {
        Type x = to.inputType(0);
        Shape table = to.inputType(1).shape();
        int width = x.shape().last();
        return new RotaryKernel(
                to.input(0),
                width,
                to.input(1),
                to.input(2),
                to.result(),
                width,
                to.rows(x),
                width / table.last(),
                table.last(),
                table.extent(0).bound(),
                workers);
    }

    private static boolean isVector(Operands to) {
        return to.inputType(1).shape().rank() < to.inputType(0).shape().rank();
    }

    private static Count sequences(Operands to, Type offsets) {
        return to.count(Attention.sequences(offsets));
    }

    private static List<Place> places(Operands to) {
        return IntStream.range(0, to.results()).mapToObj(to::writtenResult).toList();
    }
}

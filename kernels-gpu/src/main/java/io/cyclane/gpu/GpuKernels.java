package io.cyclane.gpu;

import io.cyclane.gpu.attention.AttentionLaunch;
import io.cyclane.gpu.experts.ExpertMatMulLaunch;
import io.cyclane.gpu.experts.MolGeGluLaunch;
import io.cyclane.gpu.experts.RouteLaunch;
import io.cyclane.gpu.experts.TransposedPacking;
import io.cyclane.gpu.gemm.LinearLaunch;
import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Bf16RowsPacking;
import io.cyclane.tensor.host.OpSet;
import io.cyclane.tensor.host.Packing;
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
import io.cyclane.tensor.program.LinearFusion;
import io.cyclane.tensor.program.Narrowing;
import io.cyclane.tensor.program.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Which kernel runs which operation on a GPU: one line each. */
final class GpuKernels implements OpSet {
    private static final int WORD_BYTES = Integer.BYTES;
    private static final int HALF_BYTES = Short.BYTES;

    private final Precision precision;

    /** Kernels for values that are stored and multiplied so. */
    GpuKernels(Precision precision) {
        this.precision = precision;
    }

    @Override
    public String name() {
        return GpuProvider.NAME;
    }

    @Override
    public Program prepare(Program program) {
        Program fused = LinearFusion.of(program);
        return EarlyPooling.of(
                precision == Precision.BF16 ? Narrowing.of(fused, DType.BF16) : fused);
    }

    @Override
    public boolean has(Op op, List<Type> inputs, IntPredicate isWeight) {
        DType first = inputs.getFirst().dtype();
        return switch (op) {
            case Copy _ -> first.bytes() % HALF_BYTES == 0;
            case Convert convert -> isStored(first) && isStored(convert.dtype());
            default ->
                    inputs.stream().allMatch(t -> isStored(t.dtype()) || t.dtype() == DType.I32)
                            && hasKernel(op, inputs);
        };
    }

    private static boolean isStored(DType dtype) {
        return dtype == DType.F32 || dtype == DType.BF16;
    }

    private static boolean hasKernel(Op op, List<Type> inputs) {
        return switch (op) {
            case Attention attention ->
                    inputs.getFirst().shape().last() / attention.heads()
                            <= AttentionLaunch.MOST_HEAD_WIDTH;
            case Linear linear -> LinearLaunch.takes(linear);
            case Route _ -> inputs.get(1).shape().extent(0).bound() <= RouteLaunch.MOST_EXPERTS;
            case ExpertMatMul _ ->
                    inputs.get(2).shape().extent(0).bound() <= RouteLaunch.MOST_EXPERTS;
            case FeedForward _, Normed _ -> false;
            default -> true;
        };
    }

    @Override
    public long scratchBytes(Op op, List<Type> inputs) {
        return switch (op) {
            case ExpertMatMul _ -> ExpertMatMulLaunch.scratchBytes(inputs);
            case MolGeGlu _ -> MolGeGluLaunch.scratchBytes(inputs);
            default -> 0;
        };
    }

    /**
     * Kernels read every weight as it is stored, so that one upload serves all of a precision; but
     * the factors that threads read a column each, so that neighbours read neighbours.
     */
    @Override
    public Packing packing(Op op, int input) {
        boolean isBf16 = precision == Precision.BF16;
        if (op instanceof MolGeGlu && (input == MolGeGlu.B1 || input == MolGeGlu.B2) && !isBf16) {
            return TransposedPacking.TRANSPOSED;
        }
        return isBf16 ? Bf16RowsPacking.BF16_ROWS : RowsPacking.ROWS;
    }

    /** {@return the launches of an operation, in order} */
    List<Launch> launches(Op op, Operands to) {
        return switch (op) {
            case Split split -> split(split, to);
            case ExpertMatMul product -> ExpertMatMulLaunch.of(product, to);
            case MolGeGlu mol -> MolGeGluLaunch.of(mol, to, precision == Precision.TF32);
            default -> List.of(launch(op, to));
        };
    }

    private Launch launch(Op op, Operands to) {
        Operand x = to.input(0);
        Int width = new Int(to.shape(0).last());
        DType dtype = to.inputType(0).dtype();
        return switch (op) {
            case Activate activate ->
                    elements(
                            Entry.ACTIVATE_F32.of(dtype),
                            to,
                            x,
                            new Int(activate.function().ordinal()));
            case Add _ -> binary(Entry.ADD_F32.of(dtype), to);
            case Attention attention -> AttentionLaunch.of(attention, to);
            case Combine _ -> combine(to);
            case Convert convert -> convert(convert, to);
            case Copy _ -> copy(x, to.result(), to.elements(to.shape(0)), dtype);
            case Embedding _ -> embedding(to);
            case Glu glu ->
                    elements(
                            Entry.GLU_F32.of(dtype),
                            to,
                            x,
                            new Int(to.resultShape(0).last()),
                            new Int(glu.function().ordinal()));
            case L2Normalize norm ->
                    rows(
                            Entry.L2_NORMALIZE_F32.of(dtype),
                            to,
                            List.of(x),
                            new Argument.Float(norm.floor()));
            case LayerNorm norm ->
                    rows(
                            Entry.LAYER_NORM_F32.of(dtype),
                            to,
                            List.of(x, to.input(1), to.inputIf(norm.bias(), 2)),
                            new Argument.Float(norm.eps()));
            case Linear linear -> LinearLaunch.of(linear, to, precision == Precision.TF32);
            case MatMul matMul -> LinearLaunch.of(matMul, to, precision == Precision.TF32);
            case Multiply _ -> binary(Entry.MULTIPLY_F32.of(dtype), to);
            case Pool pool -> pool(pool, to);
            case Positions positions -> {
                Count sequences = to.sequences(0);
                yield Launch.blocks(
                        Entry.POSITIONS_I32,
                        sequences.bound(),
                        x,
                        to.result(),
                        sequences,
                        new Argument.Int(positions.first()));
            }
            case RmsNorm norm ->
                    rows(
                            Entry.RMS_NORM_F32.of(dtype),
                            to,
                            List.of(x, to.input(1)),
                            new Argument.Float(norm.eps()));
            case Rotary _ -> rotary(to);
            case Route route -> RouteLaunch.of(route, to);
            case Scale scale ->
                    elements(Entry.SCALE_F32.of(dtype), to, x, new Argument.Float(scale.factor()));
            case Softmax _ -> rows(Entry.SOFTMAX_F32.of(dtype), to, List.of(x));
            case FeedForward _, Normed _ -> throw new AssertionError(op + " is expanded");
            case ExpertMatMul _, MolGeGlu _, Split _ ->
                    throw new AssertionError(op + " takes several launches");
        };
    }

    /** {@return the launch that copies so many elements} */
    static Launch copy(Operand from, Operand to, Count elements, DType type) {
        boolean isHalf = type.bytes() % WORD_BYTES != 0;
        Count words = elements.times(type.bytes() / (isHalf ? HALF_BYTES : WORD_BYTES));
        Entry entry = isHalf ? Entry.COPY_U16 : Entry.COPY_U32;
        return Launch.elements(entry, words.bound(), from, to, words);
    }

    private static Launch combine(Operands to) {
        Count elements = to.elements(to.resultShape(0));
        return Launch.elements(
                Entry.COMBINE_F32.of(to.inputType(1).dtype()),
                elements.bound(),
                to.input(0),
                to.input(1),
                to.result(),
                elements,
                new Int(to.resultShape(0).last()),
                new Int(to.shape(0).last()));
    }

    private static Launch convert(Convert convert, Operands to) {
        DType from = to.inputType(0).dtype();
        Count elements = to.elements(to.shape(0));
        if (from == convert.dtype()) {
            return copy(to.input(0), to.result(), elements, from);
        }
        Entry entry = from == DType.F32 ? Entry.CONVERT_F32_BF16 : Entry.CONVERT_BF16_F32;
        return Launch.elements(entry, elements.bound(), to.input(0), to.result(), elements);
    }

    /** A thread for every few elements of the result. */
    private static Launch elements(Entry entry, Operands to, Operand x, Argument... more) {
        return elements(entry, to, List.of(x), more);
    }

    private static Launch elements(
            Entry entry, Operands to, List<Operand> inputs, Argument... more) {
        Count elements = to.elements(to.resultShape(0));
        List<Argument> arguments = new ArrayList<>(inputs);
        arguments.add(to.result());
        arguments.add(elements);
        arguments.addAll(List.of(more));
        return Launch.elements(entry, elements.bound(), arguments.toArray(Argument[]::new));
    }

    /** A warp for each row of x. */
    private static Launch rows(Entry entry, Operands to, List<Operand> inputs, Argument... more) {
        Count rows = to.rows(to.shape(0));
        List<Argument> arguments = new ArrayList<>(inputs);
        arguments.add(to.result());
        arguments.add(rows);
        arguments.add(new Int(to.shape(0).last()));
        arguments.addAll(List.of(more));
        return Launch.warps(entry, rows.bound(), arguments.toArray(Argument[]::new));
    }

    /** Of b, which may be a vector, each element is read again with every count of its own. */
    private static Launch binary(Entry entry, Operands to) {
        int period = Math.toIntExact(to.shape(1).elements());
        return elements(entry, to, List.of(to.input(0), to.input(1)), new Int(period));
    }

    private static Launch embedding(Operands to) {
        int vocabulary = to.shape(0).extent(0).bound();
        Count rows = to.elements(to.shape(1));
        return Launch.blocks(
                Entry.EMBEDDING_F32.of(to.inputType(0).dtype()),
                rows.bound(),
                to.input(0),
                to.input(1),
                to.result(),
                rows,
                new Int(vocabulary),
                new Int(to.shape(0).last()),
                to.fault((place, id) -> InputException.rowOutside("id", id, place, vocabulary)));
    }

    private static Launch pool(Pool pool, Operands to) {
        Count sequences = to.sequences(1);
        int width = to.shape(0).last();
        int blocksPerRow = Launch.ceil(width, Entry.POOL_F32.threads());
        return Launch.blocks(
                Entry.POOL_F32.of(to.inputType(0).dtype()),
                Math.multiplyExact(sequences.bound(), blocksPerRow),
                to.input(0),
                to.input(1),
                to.result(),
                sequences,
                new Int(width),
                new Int(blocksPerRow),
                new Int(
                        switch (pool.kind()) {
                            case MEAN -> 0;
                            case CLS -> 1;
                            case OWN -> 2;
                        }));
    }

    private static Launch rotary(Operands to) {
        Count rows = to.rows(to.shape(0));
        int places = to.shape(1).extent(0).bound();
        return Launch.blocks(
                Entry.ROTARY_F32.of(to.inputType(0).dtype()),
                rows.bound(),
                to.input(0),
                to.input(1),
                to.input(2),
                to.result(),
                rows,
                new Int(to.shape(0).last()),
                new Int(to.shape(1).last()),
                new Int(places),
                to.fault((row, position) ->
                        InputException.rowOutside("position", position, row, places)));
    }

    private static List<Launch> split(Split split, Operands to) {
        List<Launch> launches = new ArrayList<>();
        int width = to.resultShape(0).last();
        Count elements = to.elements(to.resultShape(0));
        Entry entry = Entry.SPLIT_F32.of(to.inputType(0).dtype());
        for (int part = 0; part < split.parts(); part++) {
            Operand result = to.result(part);
            if (!result.equals(Operand.NONE)) {
                launches.add(
                        Launch.elements(
                                entry,
                                elements.bound(),
                                to.input(0),
                                result,
                                elements,
                                new Int(width),
                                new Int(to.shape(0).last()),
                                new Int(part * width)));
            }
        }
        return launches;
    }
}

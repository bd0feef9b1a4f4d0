package io.cyclane.cpu;

import io.cyclane.cpu.gemm.FeedForwardKernel;
import io.cyclane.cpu.gemm.LeftRows;
import io.cyclane.cpu.gemm.LinearKernel;
import io.cyclane.cpu.gemm.MatMulKernel;
import io.cyclane.cpu.gemm.PanelPacking;
import io.cyclane.cpu.norm.LayerNormRows;
import io.cyclane.cpu.norm.RmsNormRows;
import io.cyclane.cpu.norm.RowNorm;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Packing;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.host.RowsPacking;
import io.cyclane.tensor.op.FeedForward;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.op.Normed;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.op.RmsNorm;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The part of {@link CpuKernels} that is about matrix products and the norms beside them. */
record DenseKernels(Workers workers) {
    long scratchBytes(Op op, List<Type> inputs) {
        Type x = inputs.getFirst();
        return switch (op) {
            case Linear _ -> workers.threads() * leftBytes(x);
            case FeedForward both -> workers.threads() * feedForwardBytes(both, inputs);
            case MatMul matMul -> panelsBytes(matMul, inputs) + workers.threads() * leftBytes(x);
            case Normed normed ->
                    scratchBytes(normed.body(), inputs)
                            + workers.threads()
                                    * LeftRows.scratchBytes(
                                            x.shape().last(), normed.before() != null);
            default -> throw new AssertionError(op + " is not dense");
        };
    }

    static Packing packing(Op op, int input) {
        return switch (op) {
            case Linear linear when input == 1 -> panels(linear);
            case FeedForward both when input == 1 -> panels(both.first());
            case FeedForward both when input == both.secondWeight() -> panels(both.second());
            case Normed normed -> packing(normed.body(), input);
            default -> RowsPacking.ROWS;
        };
    }

    private static Packing panels(Linear linear) {
        return linear.gated() ? PanelPacking.PAIRED_OUTPUT_ROWS : PanelPacking.OUTPUT_ROWS;
    }

    Kernel kernel(Op op, Operands to) {
        return switch (op) {
            case Linear linear -> linear(linear, to, null, null);
            case FeedForward both -> feedForward(both, to, null, null);
            case MatMul matMul -> matMul(matMul, to);
            case Normed normed -> normed(normed, to);
            default -> throw new AssertionError(op + " is not dense");
        };
    }

    private Kernel normed(Normed normed, Operands to) {
        int width = to.inputType(0).shape().last();
        int columns = to.resultType(0).shape().last();
        RowNorm before =
                normed.before() == null
                        ? null
                        : norm(normed.before(), to, width, normed.bodyInputs());
        RowNorm after =
                normed.after() == null
                        ? null
                        : norm(normed.after(), to, columns, normed.afterInput());
        return normed.body() instanceof FeedForward both
                ? feedForward(both, to, before, after)
                : linear((Linear) normed.body(), to, before, after);
    }

    /** {@return a norm whose vectors begin with the input at {@code at}} */
    static RowNorm norm(Op norm, Operands to, int width, int at) {
        return switch (norm) {
            case LayerNorm(float eps, boolean bias) ->
                    new LayerNormRows(to.input(at), bias ? to.input(at + 1) : null, width, eps);
            case RmsNorm(float eps) -> new RmsNormRows(to.input(at), width, eps);
            default -> throw new AssertionError(norm + " is no norm of rows");
        };
    }

    private static LeftRows left(Operands to, @Nullable RowNorm before) {
        return new LeftRows(to.input(0), to.inputType(0).shape().last(), before);
    }

    private Kernel linear(
            Linear linear, Operands to, @Nullable RowNorm before, @Nullable RowNorm after) {
        Type x = to.inputType(0);
        return new LinearKernel(
                workers,
                layer(linear, to, 1, places(to), after),
                to.rows(x),
                mostRows(x),
                left(to, before),
                to.scratch());
    }

    private Kernel feedForward(
            FeedForward both, Operands to, @Nullable RowNorm before, @Nullable RowNorm after) {
        Type x = to.inputType(0);
        return new FeedForwardKernel(
                workers,
                to.rows(x),
                mostRows(x),
                left(to, before),
                layer(both.first(), to, 1, List.of(), null),
                layer(both.second(), to, both.secondWeight(), places(to), after),
                to.scratch());
    }

    /** The layer whose inputs but x begin with its weight, at {@code at}. */
    private static LinearKernel.Layer layer(
            Linear linear, Operands to, int at, List<Place> results, @Nullable RowNorm norm) {
        Shape weight = to.inputType(at).shape();
        return new LinearKernel.Layer(
                new LinearKernel.Form(
                        weight.extent(1).bound(),
                        weight.extent(0).bound(),
                        linear.function(),
                        linear.gated()),
                to.input(at),
                linear.bias() ? to.input(at + 1) : null,
                linear.residual() ? to.input(at - 1 + linear.residualInput()) : null,
                results,
                norm);
    }

    private Kernel matMul(MatMul matMul, Operands to) {
        Type x = to.inputType(0);
        Place scratch = to.scratch();
        Place left =
                new Place(
                        scratch.segment(), scratch.offset() + panelsBytes(matMul, to.inputTypes()));
        return new MatMulKernel(
                workers,
                to.rows(x),
                mostRows(x),
                x.shape().last(),
                to.resultType(0).shape().last(),
                to.input(0),
                to.input(1),
                matMul.transposed(),
                to.result(),
                scratch,
                left);
    }

    /** Scratch in which each worker keeps the rows of x that it multiplies. */
    private static long leftBytes(Type x) {
        return LinearKernel.scratchBytes(mostRows(x), x.shape().last(), false);
    }

    private static long feedForwardBytes(FeedForward both, List<Type> inputs) {
        Type x = inputs.getFirst();
        Type second = inputs.get(both.secondWeight());
        return FeedForwardKernel.scratchBytes(
                mostRows(x), x.shape().last(), second.shape().last(), mostRows(second), false);
    }

    private static long panelsBytes(MatMul matMul, List<Type> inputs) {
        Shape y = inputs.get(1).shape();
        int inner = y.extent(matMul.transposed() ? 1 : 0).bound();
        int columns = y.extent(matMul.transposed() ? 0 : 1).bound();
        return MatMulKernel.panelsBytes(inner, columns);
    }

    /** {@return the most rows of a value of this type} */
    static int mostRows(Type x) {
        return Math.toIntExact(x.shape().elements() / x.shape().last());
    }

    private static List<Place> places(Operands to) {
        return IntStream.range(0, to.results()).mapToObj(to::writtenResult).toList();
    }
}

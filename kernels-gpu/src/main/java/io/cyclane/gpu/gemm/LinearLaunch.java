package io.cyclane.gpu.gemm;

import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MatMul;
import java.util.List;

/** A dense layer with all that follows it, and the plain product, which is one of nothing more. */
public final class LinearLaunch {
    /** Rows and columns of the products of one block, as {@code gemm.cu} has them. */
    static final int ROWS = 64;

    static final int COLUMNS = 64;

    private LinearLaunch() {}

    /** {@return whether the kernel takes a layer of this form} */
    public static boolean takes(Linear linear) {
        return linear.parts() <= Argument.Parts.MOST;
    }

    /**
     * {@return the launch of a layer}
     *
     * @param weight the weight's element type on the device
     */
    public static Launch of(Linear linear, Operands to, DType weight) {
        int outputs = to.shape(1).extent(0).bound();
        int inner = to.shape(1).extent(1).bound();
        return launch(
                weight,
                to,
                to.inputIf(linear.bias(), 2),
                to.inputIf(linear.residual(), linear.residualInput()),
                to.results(),
                inner,
                outputs,
                inner,
                1,
                linear.function(),
                linear.gated());
    }

    /**
     * {@return the launch of a product}
     *
     * @param right the right factor's element type on the device
     */
    public static Launch of(MatMul matMul, Operands to, DType right) {
        Shape y = to.shape(1);
        int inner = y.extent(matMul.transposed() ? 1 : 0).bound();
        int outputs = y.extent(matMul.transposed() ? 0 : 1).bound();
        return launch(
                right,
                to,
                Operand.NONE,
                Operand.NONE,
                to.results(),
                inner,
                outputs,
                matMul.transposed() ? inner : 1,
                matMul.transposed() ? 1 : outputs,
                Activation.IDENTITY,
                false);
    }

    private static Launch launch(
            DType weight,
            Operands to,
            Operand bias,
            Operand residual,
            List<Operand> results,
            int inner,
            int outputs,
            int outputStride,
            int innerStride,
            Activation function,
            boolean gated) {
        Count rows = to.rows(to.shape(0));
        return new Launch(
                weight == DType.BF16 ? Entry.LINEAR_BF16 : Entry.LINEAR_F32,
                gated ? Launch.ceil(outputs / 2, COLUMNS / 2) : Launch.ceil(outputs, COLUMNS),
                Launch.ceil(rows.bound(), ROWS),
                List.of(
                        to.input(0),
                        to.input(1),
                        bias,
                        residual,
                        new Argument.Parts(results),
                        rows,
                        new Int(inner),
                        new Int(outputs),
                        new Int(to.resultShape(0).last()),
                        new Int(outputStride),
                        new Int(innerStride),
                        new Int(function.ordinal()),
                        Int.of(gated)));
    }
}

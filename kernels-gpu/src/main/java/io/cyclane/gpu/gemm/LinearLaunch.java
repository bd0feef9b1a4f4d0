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
    /** Fewer blocks than this do not fill a large device: smaller ones are then better. */
    private static final int FEW_BLOCKS = 128;

    /** Rows of so many elements begin at multiples of 16 bytes in either type. */
    private static final int CHUNK = 8;

    private static final Form F32 = new Form(Entry.LINEAR_F32, 64);

    private static final List<Form> BF16 =
            List.of(
                    new Form(Entry.LINEAR_BF16, 128),
                    new Form(Entry.LINEAR_SMALL_BF16, 64),
                    new Form(Entry.LINEAR_ANY_BF16, 64));

    private static final List<Form> TF32 =
            List.of(
                    new Form(Entry.LINEAR_TF32, 128),
                    new Form(Entry.LINEAR_SMALL_TF32, 64),
                    new Form(Entry.LINEAR_ANY_TF32, 64));

    private LinearLaunch() {}

    /** {@return whether the kernel takes a layer of this form} */
    public static boolean takes(Linear linear) {
        return linear.parts() <= Argument.Parts.MOST;
    }

    /**
     * {@return the launch of a layer}
     *
     * @param asTf32 whether F32 values are multiplied as tf32
     */
    public static Launch of(Linear linear, Operands to, boolean asTf32) {
        int outputs = to.shape(1).extent(0).bound();
        int inner = to.shape(1).extent(1).bound();
        return launch(
                asTf32,
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
     * @param asTf32 whether F32 values are multiplied as tf32
     */
    public static Launch of(MatMul matMul, Operands to, boolean asTf32) {
        Shape y = to.shape(1);
        int inner = y.extent(matMul.transposed() ? 1 : 0).bound();
        int outputs = y.extent(matMul.transposed() ? 0 : 1).bound();
        return launch(
                asTf32,
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
            boolean asTf32,
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
        boolean isWhole = innerStride == 1 && inner % CHUNK == 0;
        boolean isBf16 = to.inputType(0).dtype() == DType.BF16;
        Form form =
                isBf16 || asTf32
                        ? Form.of(isBf16 ? BF16 : TF32, isWhole, rows.bound(), outputs)
                        : F32;
        return new Launch(
                form.entry,
                gated ? Launch.ceil(outputs / 2, form.tile / 2) : Launch.ceil(outputs, form.tile),
                Launch.ceil(rows.bound(), form.tile),
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

    /** A kernel, and how many rows and columns of products a block of it has. */
    private record Form(Entry entry, int tile) {
        /** Of the large form, the small one and that for any width: all give the same bits. */
        static Form of(List<Form> forms, boolean isWhole, int rows, int outputs) {
            if (!isWhole) {
                return forms.get(2);
            }
            Form large = forms.get(0);
            long blocks = (long) Launch.ceil(rows, large.tile) * Launch.ceil(outputs, large.tile);
            return blocks < FEW_BLOCKS ? forms.get(1) : large;
        }
    }
}

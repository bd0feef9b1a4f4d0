package io.cyclane.gpu.experts;

import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.op.ExpertMatMul;

/** The products of rows with the matrices of their experts. */
public final class ExpertMatMulLaunch {
    /** From this inner width on a warp shares a product; below it a thread makes one alone. */
    private static final int WIDE = 64;

    private ExpertMatMulLaunch() {}

    /** {@return the launch} */
    public static Launch of(ExpertMatMul product, Operands to) {
        Shape weight = to.shape(2);
        Count choices = to.elements(to.shape(1));
        int experts = weight.extent(0).bound();
        int inner = weight.extent(2).bound();
        return Launch.blocks(
                inner >= WIDE ? Entry.EXPERT_MATMUL_WIDE_F32 : Entry.EXPERT_MATMUL_NARROW_F32,
                choices.bound(),
                to.input(0),
                to.input(1),
                to.input(2),
                to.inputIf(product.base(), 3),
                to.result(),
                choices,
                new Int(to.shape(1).last()),
                Int.of(ExpertMatMul.isShared(to.inputType(0), to.inputType(1))),
                new Int(experts),
                new Int(inner),
                new Int(weight.extent(1).bound()),
                new Argument.Float(product.scale()),
                to.fault((choice, expert) ->
                        InputException.rowOutside("expert", expert, choice, experts)));
    }
}

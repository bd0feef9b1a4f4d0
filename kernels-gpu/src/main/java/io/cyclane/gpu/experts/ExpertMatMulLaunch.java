package io.cyclane.gpu.experts;

import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Address;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.ExpertMatMul;
import java.util.ArrayList;
import java.util.List;

/**
 * The products of rows with the matrices of their experts: choices are grouped by expert, then
 * multiplied tile by tile. Each product groups for itself, which costs two short launches: the
 * mixture, where several products share a choice, needs no groups at all.
 */
public final class ExpertMatMulLaunch {
    /** Up to so many outputs a tile of F32 is as narrow. */
    private static final int NARROW = 16;

    private static final int WIDE = 64;

    private ExpertMatMulLaunch() {}

    /** {@return the scratch that the groups take} */
    public static long scratchBytes(List<Type> inputs) {
        return Groups.bytes(inputs.get(1).shape(), inputs.get(2).shape().extent(0).bound());
    }

    /** {@return the launches} */
    public static List<Launch> of(ExpertMatMul product, Operands to) {
        Shape weight = to.shape(2);
        Groups groups =
                new Groups(to.scratch(), to.elements(to.shape(1)), weight.extent(0).bound());
        return launches(
                groups,
                Groups.fault(to, groups.experts()),
                to.inputType(0).dtype(),
                to.input(0),
                to.input(1),
                to.input(2),
                to.inputIf(product.base(), 3),
                to.result(),
                to.shape(1).last(),
                ExpertMatMul.isShared(to.inputType(0), to.inputType(1)),
                weight.extent(2).bound(),
                weight.extent(1).bound(),
                product.scale());
    }

    static List<Launch> launches(
            Groups groups,
            Address fault,
            DType dtype,
            Operand x,
            Operand experts,
            Operand weight,
            Operand base,
            Operand y,
            int choices,
            boolean isShared,
            int inner,
            int outputs,
            float scale) {
        List<Launch> launches = new ArrayList<>(groups.launches(experts, fault));
        boolean isNarrow = outputs <= NARROW && dtype == DType.F32;
        launches.add(
                new Launch(
                        (isNarrow ? Entry.EXPERT_MATMUL_16_F32 : Entry.EXPERT_MATMUL_64_F32)
                                .of(dtype),
                        Launch.ceil(outputs, isNarrow ? NARROW : WIDE),
                        groups.mostTiles(),
                        List.of(
                                x,
                                weight,
                                base,
                                y,
                                groups.scratch(),
                                new Int(groups.choices().bound()),
                                new Int(choices),
                                Int.of(isShared),
                                new Int(groups.experts()),
                                new Int(inner),
                                new Int(outputs),
                                new Argument.Float(scale))));
        return launches;
    }
}

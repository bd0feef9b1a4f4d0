package io.cyclane.tensor.reference;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.host.Bf16RowsPacking;
import io.cyclane.tensor.host.CopyKernel;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.KernelSet;
import io.cyclane.tensor.host.Operands;
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
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.LayerNorm;
import io.cyclane.tensor.op.MatMul;
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
import io.cyclane.tensor.program.Narrowing;
import io.cyclane.tensor.program.Program;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Every operation of the set in plain loops. Composite operations are expanded, so that their
 * expansion is the oracle.
 */
final class ReferenceKernels implements KernelSet {
    private final DType held;

    ReferenceKernels(DType held) {
        this.held = held;
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String description() {
        return "the reference backend, plain Java, values held as " + held;
    }

    @Override
    public Program prepare(Program program) {
        return switch (held) {
            case F64 -> Widened.of(program);
            case BF16 -> Narrowing.of(program, held);
            default -> program;
        };
    }

    @Override
    public boolean has(Op op, List<Type> inputs, IntPredicate isWeight) {
        return !(op instanceof Op.Composite);
    }

    @Override
    public long scratchBytes(Op op, List<Type> inputs) {
        return 0;
    }

    @Override
    public Packing packing(Op op, int input) {
        return switch (held) {
            case F64 -> WideRowsPacking.ROWS;
            case BF16 -> Bf16RowsPacking.BF16_ROWS;
            default -> RowsPacking.ROWS;
        };
    }

    @Override
    public Kernel kernel(Op op, Operands operands) {
        return switch (op) {
            case Activate activate -> ActivateReference.of(activate, operands);
            case Add _ -> AddReference.of(operands);
            case Attention attention -> AttentionReference.of(attention, operands);
            case Combine _ -> CombineReference.of(operands);
            case Convert _ -> ConvertReference.of(operands);
            case Copy _ ->
                    new CopyKernel(
                            operands.input(0),
                            operands.result(),
                            operands.elements(operands.resultType(0)),
                            operands.resultType(0).dtype().bytes());
            case Embedding _ -> EmbeddingReference.of(operands);
            case ExpertMatMul product -> ExpertMatMulReference.of(product, operands);
            case Glu glu -> GluReference.of(glu, operands);
            case L2Normalize normalize -> L2NormalizeReference.of(normalize, operands);
            case LayerNorm norm -> LayerNormReference.of(norm, operands);
            case Op.Composite composite -> throw new AssertionError(composite + " is expanded");
            case MatMul matMul -> MatMulReference.of(matMul, operands);
            case Multiply _ -> MultiplyReference.of(operands);
            case Pool pool -> PoolReference.of(pool, operands);
            case Positions positions -> PositionsReference.of(positions, operands);
            case RmsNorm norm -> RmsNormReference.of(norm, operands);
            case Rotary _ -> RotaryReference.of(operands);
            case Route route -> RouteReference.of(route, operands);
            case Scale scale -> ScaleReference.of(scale, operands);
            case Softmax _ -> SoftmaxReference.of(operands);
            case Split split -> SplitReference.of(split, operands);
        };
    }
}

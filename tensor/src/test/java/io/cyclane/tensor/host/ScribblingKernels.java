package io.cyclane.tensor.host;

import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Program;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The kernels of another set, of which most ask for scratch and write NaN over all of it, before
 * they compute and after.
 */
final class ScribblingKernels implements KernelSet {
    private final KernelSet kernels;

    ScribblingKernels(KernelSet kernels) {
        this.kernels = kernels;
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public String description() {
        return kernels.description() + ", scribbling";
    }

    @Override
    public Program prepare(Program program) {
        return kernels.prepare(program);
    }

    @Override
    public boolean has(Op op, List<Type> inputs, IntPredicate isWeight) {
        return kernels.has(op, inputs, isWeight);
    }

    @Override
    public long scratchBytes(Op op, List<Type> inputs) {
        int draw = Math.floorMod(op.toString().hashCode() + inputs.toString().hashCode(), 900);
        return draw < 300 ? 0 : draw;
    }

    @Override
    public Packing packing(Op op, int input) {
        return kernels.packing(op, input);
    }

    @Override
    public Kernel kernel(Op op, Operands operands) {
        Kernel kernel = kernels.kernel(op, operands);
        long bytes = scratchBytes(op, operands.inputTypes());
        if (bytes == 0) {
            return kernel;
        }
        Place scratch = operands.scratch();
        return () -> {
            scribble(scratch, bytes);
            kernel.run();
            scribble(scratch, bytes);
        };
    }

    private static void scribble(Place place, long bytes) {
        place.segment().asSlice(place.offset(), bytes).fill((byte) 0xff);
    }
}

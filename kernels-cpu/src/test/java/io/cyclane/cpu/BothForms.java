package io.cyclane.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.host.HostBackend;
import io.cyclane.tensor.host.Kernel;
import io.cyclane.tensor.host.KernelSet;
import io.cyclane.tensor.host.Operands;
import io.cyclane.tensor.host.Packing;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Op;
import io.cyclane.tensor.program.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The kernels of the CPU, each run as its scalar twin first and then, on the same memory, in
 * vectors: a run fails unless both leave the same bits. NaNs count as equal.
 */
final class BothForms implements KernelSet {
    private final CpuKernels kernels;

    private BothForms(CpuKernels kernels) {
        this.kernels = kernels;
    }

    /** {@return the backend, with so many threads} */
    static Backend open(int threads) {
        return new HostBackend(
                new BothForms(
                        new CpuKernels(Workers.shared(threads), true, CpuKernels.Form.VECTOR)));
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public String description() {
        return kernels.description();
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
        return kernels.scratchBytes(op, inputs);
    }

    @Override
    public Packing packing(Op op, int input) {
        return kernels.packing(op, input);
    }

    @Override
    public Kernel kernel(Op op, Operands to) {
        if (!(kernels.kernel(op, to) instanceof TwinKernel kernel)) {
            return kernels.kernel(op, to);
        }
        List<Place> results = new ArrayList<>();
        List<Type> types = new ArrayList<>();
        for (int i = 0; i < to.results(); i++) {
            Place result = to.result(i);
            if (result != null) {
                results.add(result);
                types.add(to.resultType(i));
            }
        }
        return () -> run(op, kernel, results, types);
    }

    private static void run(Op op, TwinKernel kernel, List<Place> results, List<Type> types) {
        List<float[]> before = read(results, types);
        kernel.runScalar();
        List<float[]> scalar = read(results, types);
        // A result may lie where an input lay.
        for (int i = 0; i < results.size(); i++) {
            float[] values = before.get(i);
            Place place = results.get(i);
            MemorySegment.copy(
                    values,
                    0,
                    place.segment(),
                    ValueLayout.JAVA_FLOAT,
                    place.offset(),
                    values.length);
        }
        kernel.run();
        List<float[]> vector = read(results, types);
        for (int i = 0; i < results.size(); i++) {
            String what = op + ", result " + i + ", " + types.get(i);
            assertArrayEquals(scalar.get(i), vector.get(i), what);
        }
    }

    private static List<float[]> read(List<Place> results, List<Type> types) {
        List<float[]> read = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            Place place = results.get(i);
            int n = Math.toIntExact(types.get(i).shape().elements());
            read.add(Floats.read(place.segment(), place.offset(), n));
        }
        return read;
    }
}

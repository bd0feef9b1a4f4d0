package io.cyclane.bench.op;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.Function;

/**
 * A program of one operation, compiled and ready to run on numbers drawn from a normal
 * distribution; what a benchmark calls.
 *
 * <p>Close it before its backend.
 */
public final class OneOp implements AutoCloseable {
    /** The name of a product's rows. */
    public static final String X = "x";

    /** The name of the program's output. */
    private static final String RESULT = "y";

    private final Weights weights;
    private final Session session;
    private final Binding binding;

    private OneOp(Weights weights, Session session, Binding binding) {
        this.weights = weights;
        this.session = session;
        this.binding = binding;
    }

    /**
     * {@return the operation on this backend}
     *
     * @param recording records the inputs and the operation, and returns the result to keep
     */
    public static OneOp open(Backend backend, Function<Recorder, Tensor> recording) {
        Recorder g = new Recorder("one operation");
        Program program = g.output(RESULT, recording.apply(g)).program();
        Weights weights = backend.weights(new Normal());
        Executable executable = backend.compile(program, weights);
        DeviceTime.begin(leastBytes(backend, executable.program()));
        Session session = backend.open(executable);
        Binding binding = session.binding(executable);
        for (Tensor input : program.inputs()) {
            if (input.dtype().isFloat()) {
                fill(binding.input(input.name()).segment(), input.type(), input.name());
            }
        }
        return new OneOp(weights, session, binding);
    }

    /** Every input and weight read once, the result written once, in the types they are held in. */
    private static long leastBytes(Backend backend, Program lowered) {
        long bytes = 0;
        for (Tensor input : lowered.inputs()) {
            bytes += input.type().lengthBytes();
        }
        for (Tensor output : lowered.outputs().values()) {
            bytes += output.type().lengthBytes();
        }
        for (long weights : backend.weightBytes(lowered).values()) {
            bytes += weights;
        }
        return bytes;
    }

    /** {@return the product of rows, the input {@value #X}, with a weight of [outputs, inputs]} */
    public static OneOp product(Backend backend, int rows, Parameter weight) {
        Type x = Type.f32(Shape.of(rows, weight.shape().last()));
        return open(
                backend,
                g -> g.first(Linear.plain(/* bias */ false), g.input(X, x), g.parameter(weight)));
    }

    /** {@return the memory of an input} */
    public MemorySegment input(String name) {
        return binding.input(name).segment();
    }

    /** Gives the count of a bounded extent. */
    public void count(String extent, int count) {
        binding.count(extent, count);
    }

    /** Runs the operation once. */
    public void run() {
        binding.run();
        DeviceTime.add(binding);
    }

    /** {@return what the last run gave} */
    public MemorySegment result() {
        return binding.output(RESULT).segment();
    }

    @Override
    public void close() {
        session.close();
        weights.close();
    }

    /** Writes numbers that depend on the name alone, with mean 0 and variance 1. */
    private static void fill(MemorySegment memory, Type type, String name) {
        Random random = new Random(name.hashCode());
        for (long i = 0; i < type.shape().elements(); i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
    }

    /** {@return the numbers that a parameter has in every program here} */
    public static MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
        MemorySegment rows = memory.allocate(parameter.type().lengthBytes(), 64);
        fill(rows, parameter.type(), parameter.name());
        return rows;
    }

    /** Weights that are drawn when they are asked for. */
    private static final class Normal implements WeightSource {
        @Override
        public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
            return OneOp.rows(parameter, memory);
        }
    }
}

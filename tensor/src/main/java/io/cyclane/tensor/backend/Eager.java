package io.cyclane.tensor.backend;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Records, plans and runs a program in one go: for exploring and for tests. Numbers are given where
 * values are named, and everything is freed at the end.
 *
 * <pre>{@code
 * Map<String, float[]> y = Eager.run(backend, g -> {
 *     Tensor x = g.input("x", new float[] {1, 2, 3, 4}, Shape.of(2, 2));
 *     Tensor w = g.parameter("w", new float[] {0, 1, 1, 0}, Shape.of(2, 2));
 *     g.recorder().output("y", g.recorder().matMul(x, w));
 * });
 * }</pre>
 */
public final class Eager {
    private final Recorder recorder = new Recorder("eager");
    private final Map<String, float[]> floats = new HashMap<>();
    private final Map<String, int[]> ints = new HashMap<>();
    private final Map<String, float[]> weights = new HashMap<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>();

    private Eager() {}

    /**
     * {@return the outputs that {@code recording} names, laid out for their bounds}
     *
     * @throws BackendException when the backend can not run it
     */
    public static Map<String, float[]> run(Backend backend, Consumer<Eager> recording) {
        Eager eager = new Eager();
        recording.accept(eager);
        Program program = eager.recorder.program();
        try (Weights weights = backend.weights(eager::rows)) {
            Executable executable = backend.compile(program, weights);
            Program lowered = executable.program();
            try (State state = backend.state(lowered.variables().values());
                    Session session = backend.open(List.of(executable), state)) {
                return eager.run(lowered, session.binding(executable));
            }
        }
    }

    /** {@return the recorder, for everything but numbers} */
    public Recorder recorder() {
        return recorder;
    }

    /** {@return an input of these numbers} */
    public Tensor input(String name, float[] values, Shape shape) {
        requireFit(name, values.length, shape);
        floats.put(name, values.clone());
        return recorder.input(name, Type.f32(shape));
    }

    /** {@return an I32 input of these numbers} */
    public Tensor input(String name, int[] values, Shape shape) {
        requireFit(name, values.length, shape);
        ints.put(name, values.clone());
        return recorder.input(name, Type.i32(shape));
    }

    /** {@return a parameter of these numbers} */
    public Tensor parameter(String name, float[] values, Shape shape) {
        requireFit(name, values.length, shape);
        weights.put(name, values.clone());
        return recorder.parameter(new Parameter(name, Type.f32(shape)));
    }

    /** Gives a bounded extent its count; without it the count is the bound. */
    public void count(String extent, int count) {
        counts.put(extent, count);
    }

    private static void requireFit(String name, int values, Shape shape) {
        if (values != shape.elements()) {
            throw new BackendException(
                    "'%s' is %s and takes %d numbers, came %d"
                            .formatted(name, shape, shape.elements(), values));
        }
    }

    private Map<String, float[]> run(Program lowered, Binding binding) {
        lowered.extents().forEach(extent -> binding.count(extent.name(), extent.bound()));
        counts.forEach(binding::count);
        for (Tensor input : lowered.inputs()) {
            write(input, binding.input(input.name()).segment());
        }
        binding.run();
        Map<String, float[]> outputs = new LinkedHashMap<>();
        lowered.outputs()
                .forEach((name, tensor) ->
                        outputs.put(name, read(tensor, binding.output(name).segment())));
        return outputs;
    }

    private MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
        float[] values = weights.get(parameter.name());
        if (values == null) {
            throw new BackendException(
                    "parameter '%s' was given no numbers: name it with Eager.parameter"
                            .formatted(parameter.name()));
        }
        return memory.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    private void write(Tensor input, MemorySegment memory) {
        if (ints.containsKey(input.name())) {
            memory.copyFrom(MemorySegment.ofArray(ints.get(input.name())));
            return;
        }
        float[] values = floats.get(input.name());
        if (values == null) {
            throw new BackendException(
                    "input '%s' was given no numbers: name it with Eager.input"
                            .formatted(input.name()));
        }
        if (input.dtype() == DType.F64) {
            for (int i = 0; i < values.length; i++) {
                memory.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
            }
        } else {
            memory.copyFrom(MemorySegment.ofArray(values));
        }
    }

    private static float[] read(Tensor output, MemorySegment memory) {
        float[] values = new float[Math.toIntExact(output.shape().elements())];
        switch (output.dtype()) {
            case F32 -> MemorySegment.ofArray(values).copyFrom(memory);
            case F64 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) memory.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
                }
            }
            case I32 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = memory.getAtIndex(ValueLayout.JAVA_INT, i);
                }
            }
            case BF16, F16, I8 ->
                    throw new BackendException(
                            "output %s is of a storage type: cast it before it is an output"
                                    .formatted(output));
        }
        return values;
    }
}

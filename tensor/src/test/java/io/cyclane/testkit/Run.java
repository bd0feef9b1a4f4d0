package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.cyclane.tensor.Extent;
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
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.reference.ReferenceBackend;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A program with the numbers to run it on: inputs and weights by name, counts by extent. Results
 * come back as {@code double}, which holds every F32 and I32 exactly.
 *
 * <p>Before a run the arena is filled with one NaN, and the rows of inputs beyond their counts with
 * another, which is -1 where it is read as an I32.
 */
public final class Run {
    /** In inputs beyond their counts: all ones. */
    private static final byte NO_INPUT = (byte) 0xFF;

    /** In the arena: another NaN, so that what is computed from the first shows. */
    private static final int UNWRITTEN = 0x7FFFDEAD;

    private final Program program;
    private final Map<String, float[]> floats = new LinkedHashMap<>();
    private final Map<String, int[]> integers = new LinkedHashMap<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>();

    private Run(Program program) {
        this.program = program;
    }

    /** A run of this program, its numbers still to be given. */
    public static Run of(Program program) {
        return new Run(program);
    }

    /** Gives the numbers of an input, as many as count, or of a weight. */
    public Run given(String name, float... values) {
        floats.put(name, values);
        return this;
    }

    /** Gives the numbers of an I32 input, as many as count. */
    public Run givenIntegers(String name, int... values) {
        integers.put(name, values);
        return this;
    }

    /** Gives the count of an extent. */
    public Run count(String extent, int count) {
        counts.put(extent, count);
        return this;
    }

    /** {@return the outputs of the reference with every F32 held as F64} */
    public Map<String, double[]> exactly() {
        try (Backend exact = ReferenceBackend.openExact()) {
            return on(exact, MemoryPlanner.separate());
        }
    }

    /**
     * {@return the outputs on a backend} The two planners' runs must agree bit for bit, and where
     * values lie apart no row beyond the count may have been written.
     */
    public Map<String, double[]> on(Backend backend) {
        Map<String, double[]> shared = on(backend, MemoryPlanner.shared());
        try (Opened opened = open(backend, MemoryPlanner.separate())) {
            Map<String, double[]> separate = opened.run();
            opened.assertUntouchedBeyondCounts();
            assertSameBits(separate, shared, program.name() + ", separate against shared memory");
        }
        return shared;
    }

    /** {@return the outputs on a backend, laid out by this planner} */
    public Map<String, double[]> on(Backend backend, MemoryPlanner planner) {
        try (Opened opened = open(backend, planner)) {
            return opened.run();
        }
    }

    /** Opens a session for several runs. */
    public Opened open(Backend backend, MemoryPlanner planner) {
        return new Opened(backend, planner);
    }

    /** Fails unless outputs are the same, a zero's sign included. */
    public static void assertSameBits(
            Map<String, double[]> wanted, Map<String, double[]> actual, String what) {
        assertEquals(wanted.keySet(), actual.keySet(), what);
        wanted.forEach((name, values) ->
                assertArrayEquals(values, actual.get(name), () -> what + ": " + name));
    }

    /** The program on a session of its own. */
    public final class Opened implements AutoCloseable {
        private final Weights weights;
        private final Session session;
        private final Binding binding;
        private final Program lowered;

        private Opened(Backend backend, MemoryPlanner planner) {
            weights = backend.weights(new Given());
            lowered = backend.lower(program);
            Executable executable =
                    backend.compile(lowered, planner.plan(lowered, PlanOptions.DEFAULT), weights);
            session = backend.open(executable);
            binding = session.binding(executable);
            session.fill(UNWRITTEN);
            counts.forEach(binding::count);
        }

        /** {@return the outputs for the numbers as given now} */
        public Map<String, double[]> run() {
            for (Tensor input : lowered.inputs()) {
                MemorySegment window = binding.input(input.name()).segment();
                window.fill(NO_INPUT);
                write(input, window);
            }
            binding.run();
            Map<String, double[]> outputs = new LinkedHashMap<>();
            lowered.outputs()
                    .forEach((name, tensor) ->
                            outputs.put(name, read(tensor.type(), binding.output(name).segment())));
            return outputs;
        }

        private void write(Tensor input, MemorySegment window) {
            int n = elements(input.type());
            if (input.type().dtype().isFloat()) {
                float[] values = floats.get(input.name());
                assertEquals(n, values.length, () -> "numbers given for " + input);
                for (int i = 0; i < n; i++) {
                    switch (input.dtype()) {
                        case F32 -> window.setAtIndex(ValueLayout.JAVA_FLOAT, i, values[i]);
                        case F64 -> window.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
                        case BF16, F16, I8, I32 -> throw new AssertionError(input);
                    }
                }
            } else {
                int[] values = integers.get(input.name());
                assertEquals(n, values.length, () -> "numbers given for " + input);
                MemorySegment.copy(values, 0, window, ValueLayout.JAVA_INT, 0, n);
            }
        }

        private double[] read(Type type, MemorySegment window) {
            double[] values = new double[elements(type)];
            for (int i = 0; i < values.length; i++) {
                values[i] =
                        switch (type.dtype()) {
                            case F32 -> window.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                            case F64 -> window.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
                            case I32 -> window.getAtIndex(ValueLayout.JAVA_INT, i);
                            case BF16, F16, I8 -> throw new AssertionError(type);
                        };
            }
            return values;
        }

        /** Fails if an output's rows beyond the count are not as they were any more. */
        void assertUntouchedBeyondCounts() {
            for (Map.Entry<String, Tensor> output : lowered.outputs().entrySet()) {
                Type type = output.getValue().type();
                MemorySegment window = binding.value(output.getValue()).segment();
                long from = (long) elements(type) * type.dtype().bytes();
                for (long at = from; at < window.byteSize(); at += 4) {
                    if (window.get(ValueLayout.JAVA_INT, at) != UNWRITTEN) {
                        fail(
                                "%s: output '%s' was written at byte %d, beyond its count"
                                        .formatted(program.name(), output.getKey(), at));
                    }
                }
            }
        }

        @Override
        public void close() {
            session.close();
            weights.close();
        }
    }

    /** The elements that count: a bounded extent stands first. */
    private int elements(Type type) {
        Shape shape = type.shape();
        if (shape.rank() == 0) {
            return 1;
        }
        int rows =
                switch (shape.extent(0)) {
                    case Extent.Fixed fixed -> fixed.bound();
                    case Extent.Bounded bounded -> counts.get(bounded.name());
                    case Extent.Borders borders -> counts.get(borders.of().name()) + 1;
                };
        return Math.toIntExact(rows * shape.withoutFirst().elements());
    }

    /** Weights from the numbers given. */
    private final class Given implements WeightSource {
        @Override
        public MemorySegment rows(Parameter parameter, SegmentAllocator memory) {
            return memory.allocateFrom(ValueLayout.JAVA_FLOAT, floats.get(parameter.name()));
        }
    }
}

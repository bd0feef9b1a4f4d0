package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.reference.ReferenceBackend;
import io.cyclane.testkit.RandomData;
import io.cyclane.testkit.RandomPrograms;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random programs: loops in loops, rows of rows, collected values, variables. Planned and unplanned
 * runs on the GPU agree bit for bit, from an arena full of NaN, in each of two runs; and both agree
 * with the reference.
 */
class RandomProgramTest {
    /**
     * The programs' values are near 1, their products short and their functions tame; what a few
     * hundred steps make of roundings stays far below this, and what a wrong row, round or carry
     * makes of a value far above.
     */
    private static final double ALLOWED = 1e-3;

    private static final double ALLOWED_IN_BF16 = 0.1;

    @Test
    void agreesWithTheReference() {
        check(1, 150);
    }

    @Test
    @Tag("long")
    void agreesWithTheReferenceOnManyMore() {
        check(1000, 3000);
    }

    /**
     * Values stored in bf16: the reference rounds to it too, at other steps where some are fused.
     */
    @Test
    void agreesWithTheReferenceInBf16() {
        check(1, 60, Precision.BF16);
    }

    private static void check(long first, int programs) {
        check(first, programs, Precision.F32);
    }

    private static void check(long first, int programs, Precision precision) {
        boolean isBf16 = precision == Precision.BF16;
        double allowed = isBf16 ? ALLOWED_IN_BF16 : ALLOWED;
        try (Backend gpu = GpuOnHost.open(HostDriver.orSkip(), precision);
                Backend reference =
                        isBf16 ? ReferenceBackend.openBf16() : ReferenceBackend.open()) {
            for (long seed = first; seed < first + programs; seed++) {
                Program program = RandomPrograms.of(seed);
                List<Map<String, float[]>> wanted =
                        run(reference, program, MemoryPlanner.separate(), seed);
                List<Map<String, float[]>> planned =
                        run(gpu, program, MemoryPlanner.shared(), seed);
                List<Map<String, float[]>> unplanned =
                        run(gpu, program, MemoryPlanner.separate(), seed);
                for (int i = 0; i < wanted.size(); i++) {
                    agree(unplanned.get(i), planned.get(i), 0, "planned, seed " + seed + program);
                    agree(wanted.get(i), planned.get(i), allowed, "seed " + seed + program);
                }
            }
        }
    }

    private static void agree(
            Map<String, float[]> wanted, Map<String, float[]> actual, double allowed, String what) {
        assertEquals(wanted.keySet(), actual.keySet(), what);
        wanted.forEach((name, values) -> {
            float[] others = actual.get(name);
            assertEquals(values.length, others.length, what);
            for (int i = 0; i < values.length; i++) {
                String place = what + ", " + name + " " + i + ": " + values[i] + ", " + others[i];
                boolean isSame = Float.floatToIntBits(values[i]) == Float.floatToIntBits(others[i]);
                assertTrue(
                        isSame
                                || Math.abs(values[i] - others[i])
                                        <= allowed * Math.max(1, Math.abs(values[i])),
                        place);
            }
        });
    }

    /** Outputs and variables after each of two runs on other numbers. */
    private static List<Map<String, float[]>> run(
            Backend backend, Program program, MemoryPlanner planner, long seed) {
        Program lowered = backend.lower(program);
        List<RandomData> runs =
                List.of(new RandomData(lowered, seed), new RandomData(lowered, seed + 1));
        try (Weights weights = backend.weights(runs.getFirst())) {
            Executable executable =
                    backend.compile(lowered, planner.plan(lowered, PlanOptions.DEFAULT), weights);
            try (State state = backend.state(lowered.variables().values());
                    Session session = backend.open(List.of(executable), state)) {
                session.fill(-1);
                Binding binding = session.binding(executable);
                return runs.stream().map(data -> run(lowered, binding, state, data)).toList();
            }
        }
    }

    private static Map<String, float[]> run(
            Program lowered, Binding binding, State state, RandomData data) {
        lowered.extents()
                .forEach(extent -> binding.count(extent.name(), data.count(extent.name())));
        lowered.inputs().forEach(input -> data.fill(input, binding.input(input.name()).segment()));
        binding.run();
        Map<String, float[]> results = new LinkedHashMap<>();
        lowered.outputs()
                .forEach((name, tensor) ->
                        results.put(
                                name, read(tensor.type(), binding.output(name).segment(), data)));
        for (Variable variable : lowered.variables().values()) {
            results.put(
                    "variable " + variable.name(),
                    read(variable.type(), state.buffer(variable).segment(), data));
        }
        return results;
    }

    private static float[] read(Type type, MemorySegment memory, RandomData data) {
        float[] values = new float[(int) type.shape().elements()];
        int read = counted(type, type.shape(), 0, 0, memory, data, values, 0);
        return java.util.Arrays.copyOf(values, read);
    }

    private static int counted(
            Type type,
            Shape shape,
            int axis,
            long at,
            MemorySegment memory,
            RandomData data,
            float[] to,
            int read) {
        if (axis == shape.rank()) {
            to[read] =
                    type.dtype() == DType.I32
                            ? memory.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, at)
                            : memory.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
            return read + 1;
        }
        int count =
                switch (shape.extent(axis)) {
                    case Extent.Fixed fixed -> fixed.bound();
                    case Extent.Bounded bounded -> data.count(bounded.name());
                    case Extent.Borders borders -> data.count(borders.of().name()) + 1;
                };
        int end = read;
        for (int i = 0; i < count; i++) {
            long next = at * shape.extent(axis).bound() + i;
            end = counted(type, shape, axis + 1, next, memory, data, to, end);
        }
        return end;
    }
}

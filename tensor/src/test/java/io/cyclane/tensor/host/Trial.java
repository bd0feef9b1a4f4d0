package io.cyclane.tensor.host;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.program.Program;
import io.cyclane.testkit.RandomData;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs one program under one plan, on an arena filled with NaN. */
final class Trial implements AutoCloseable {
    private final Program program;
    private final Weights weights;
    private final State state;
    private final Session session;
    private final Binding binding;

    Trial(HostBackend backend, Program lowered, MemoryPlan plan, RandomData data) {
        program = lowered;
        weights = backend.weights(data);
        Executable executable = backend.compile(lowered, plan, weights);
        state = backend.state(lowered.variables().values());
        session = backend.open(List.of(executable), state);
        binding = session.binding(executable);
        session.arena().segment().fill((byte) 0xff);
    }

    void run(RandomData data) {
        program.extents()
                .forEach(extent -> binding.count(extent.name(), data.count(extent.name())));
        program.inputs().forEach(input -> data.fill(input, binding.input(input.name()).segment()));
        binding.run();
    }

    /** {@return the counted elements of all outputs, and the variables} */
    Map<String, List<Integer>> results(RandomData data) {
        Map<String, List<Integer>> bits = new LinkedHashMap<>();
        program.outputs()
                .forEach((name, tensor) ->
                        bits.put(name, bits(tensor.type(), binding.output(name).segment(), data)));
        for (Variable variable : program.variables().values()) {
            MemorySegment memory = state.buffer(variable).segment();
            bits.put("variable " + variable.name(), bits(variable.type(), memory, data));
        }
        return bits;
    }

    /** {@return what an interpreter has, likewise} */
    static Map<String, List<Integer>> results(
            Interpreter interpreter, Program program, RandomData data) {
        Map<String, List<Integer>> bits = new LinkedHashMap<>();
        program.outputs()
                .forEach((name, tensor) ->
                        bits.put(name, bits(tensor.type(), interpreter.output(name), data)));
        for (Variable variable : program.variables().values()) {
            bits.put(
                    "variable " + variable.name(),
                    bits(variable.type(), interpreter.variable(variable), data));
        }
        return bits;
    }

    /** {@return whether every float among these bits is a finite number} */
    static boolean isFinite(Map<String, List<Integer>> bits) {
        return bits.values().stream()
                .flatMap(List::stream)
                .allMatch(word -> Float.isFinite(Float.intBitsToFloat(word)));
    }

    @Override
    public void close() {
        session.close();
        state.close();
        weights.close();
    }

    private static List<Integer> bits(Type type, MemorySegment memory, RandomData data) {
        if (type.dtype() != DType.F32 && type.dtype() != DType.I32) {
            throw new AssertionError(type);
        }
        List<Integer> bits = new java.util.ArrayList<>();
        counted(type.shape(), 0, 0, memory, data, bits);
        return bits;
    }

    private static void counted(
            Shape shape,
            int axis,
            long at,
            MemorySegment memory,
            RandomData data,
            List<Integer> bits) {
        if (axis == shape.rank()) {
            bits.add(memory.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, at));
            return;
        }
        int count =
                switch (shape.extent(axis)) {
                    case Extent.Fixed(int n) -> n;
                    case Extent.Bounded bounded -> data.count(bounded.name());
                    case Extent.Borders(Extent.Bounded of) -> data.count(of.name()) + 1;
                };
        for (int i = 0; i < count; i++) {
            long next = at * shape.extent(axis).bound() + i;
            counted(shape, axis + 1, next, memory, data, bits);
        }
    }
}

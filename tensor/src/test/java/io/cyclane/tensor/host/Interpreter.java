package io.cyclane.tensor.host;

import static java.util.Objects.requireNonNull;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import io.cyclane.testkit.RandomData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs a program with no plan at all: a map from value to numbers, loops unrolled, and fresh memory
 * for whatever a step writes, so that nothing is ever overwritten. Kernels are the only thing it
 * shares with a session; what order they run in and what they are given is worked out here anew.
 */
final class Interpreter {
    private final Program program;
    private final KernelSet kernels;
    private final Map<Tensor, MemorySegment> variables = new HashMap<>();
    private final Map<Tensor, MemorySegment> values = new HashMap<>();
    private final Map<Tensor, Row> rows = new HashMap<>();
    private @Nullable RandomData data;

    Interpreter(Program lowered, KernelSet kernels) {
        this.program = lowered;
        this.kernels = kernels;
        lowered.variables()
                .keySet()
                .forEach(v -> {
                    MemorySegment zeros = memory(v.type().lengthBytes());
                    zeros.fill((byte) 0);
                    variables.put(v, zeros);
                });
    }

    /** Runs once on these numbers; variables go on from the run before. */
    void run(RandomData numbers) {
        data = numbers;
        values.clear();
        values.putAll(variables);
        for (Tensor input : program.inputs()) {
            MemorySegment memory = memory(input.type().lengthBytes());
            numbers.fill(input, memory);
            values.put(input, memory);
        }
        program.parameters()
                .forEach((tensor, parameter) ->
                        values.put(tensor, numbers.rows(parameter, Arena.ofAuto())));
        block(program.steps());
        variables.replaceAll((variable, _) -> values.get(variable));
    }

    MemorySegment output(String name) {
        return value(program.outputs().get(name));
    }

    MemorySegment variable(Variable wanted) {
        return program.variables().entrySet().stream()
                .filter(entry -> entry.getValue().equals(wanted))
                .map(entry -> variables.get(entry.getKey()))
                .findFirst()
                .orElseThrow();
    }

    private void block(List<Step> steps) {
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> apply(apply);
                case Step.Update(Tensor variable, Tensor value) ->
                        values.put(variable, value(value));
                case Step.Repeat repeat -> repeat(repeat);
            }
        }
    }

    private void apply(Step.Apply apply) {
        List<Place> inputs = new ArrayList<>();
        apply.inputs().forEach(input -> inputs.add(new Place(value(input), 0)));
        List<Place> results = new ArrayList<>();
        for (Tensor result : apply.results()) {
            MemorySegment memory = memory(result.type().lengthBytes());
            values.put(result, memory);
            results.add(new Place(memory, 0));
        }
        Place scratch = new Place(memory(apply.scratchBytes()), 0);
        Counts counts =
                new Counts(extent -> Count.fixed(requireNonNull(data).count(extent.name())));
        kernels.kernel(apply.op(), new Operands(apply, inputs, results, scratch, counts)).run();
    }

    private void repeat(Step.Repeat repeat) {
        List<MemorySegment> carried = new ArrayList<>();
        repeat.carries().forEach(carry -> carried.add(value(carry.start())));
        Map<Tensor, MemorySegment> stacks = new HashMap<>();
        repeat.collected()
                .forEach(kept ->
                        stacks.put(kept.stacked(), memory(kept.stacked().type().lengthBytes())));
        for (int round = 0; round < repeat.rounds(); round++) {
            MemorySegment number = memory(Integer.BYTES);
            number.set(ValueLayout.JAVA_INT_UNALIGNED, 0, round);
            values.put(repeat.round(), number);
            for (int i = 0; i < carried.size(); i++) {
                values.put(repeat.carries().get(i).inside(), carried.get(i));
            }
            for (Step.Row row : repeat.rows()) {
                rows.put(row.row(), new Row(row.stacked(), round));
            }
            block(repeat.body());
            for (int i = 0; i < carried.size(); i++) {
                carried.set(i, value(repeat.carries().get(i).end()));
            }
            for (Step.Collected kept : repeat.collected()) {
                MemorySegment each = value(kept.each());
                long at = round * each.byteSize();
                MemorySegment.copy(each, 0, stacks.get(kept.stacked()), at, each.byteSize());
            }
        }
        for (int i = 0; i < carried.size(); i++) {
            values.put(repeat.carries().get(i).result(), carried.get(i));
        }
        values.putAll(stacks);
    }

    private MemorySegment value(Tensor tensor) {
        Row row = rows.get(tensor);
        if (row == null) {
            MemorySegment value = values.get(tensor);
            if (value == null) {
                throw new AssertionError(tensor + " is read before it is written");
            }
            return value;
        }
        long length = tensor.type().lengthBytes();
        return value(row.stacked).asSlice(row.round * length, length);
    }

    private static MemorySegment memory(long bytes) {
        MemorySegment memory = MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
        return memory.fill((byte) 0xff);
    }

    /** The row of a round. */
    private record Row(Tensor stacked, int round) {}
}

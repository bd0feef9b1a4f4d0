package io.cyclane.gpu;

import io.cyclane.gpu.driver.Arguments;
import io.cyclane.gpu.driver.Graph;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.launch.Argument.Address;
import io.cyclane.gpu.launch.Argument.Count;
import io.cyclane.gpu.launch.Argument.Int;
import io.cyclane.gpu.launch.Argument.Operand;
import io.cyclane.gpu.launch.Entry;
import io.cyclane.gpu.launch.Launch;
import io.cyclane.gpu.launch.Operands;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.host.Packing;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns planned steps into launches on device memory, and captures the bodies of loops. */
final class LaunchBinder {
    private final GpuExecutable executable;
    private final MemoryPlan plan;
    private final long arena;
    private final Control control;
    private final Stream stream;
    private final Map<Tensor, Operand> places = new HashMap<>();
    private final Map<Tensor, RowIn> rows = new HashMap<>();
    private final List<Graph> graphs = new ArrayList<>();

    /**
     * A binder of one program.
     *
     * @param arena the device's address of the arena
     * @param inputs the device's address of each input
     * @param stream on which bodies are captured
     */
    LaunchBinder(
            GpuExecutable executable,
            long arena,
            Map<Tensor, Long> inputs,
            GpuState state,
            Control control,
            Stream stream) {
        this.executable = executable;
        this.plan = executable.plan();
        this.arena = arena;
        this.control = control;
        this.stream = stream;
        inputs.forEach((input, address) -> places.put(input, new Operand(address)));
        executable
                .program()
                .variables()
                .forEach((tensor, variable) ->
                        places.put(tensor, new Operand(state.block(variable).address())));
    }

    /** {@return the program's work} */
    List<Work> bind() {
        Program program = executable.program();
        return block(program.steps());
    }

    /** {@return the graphs that were captured, for their owner to close} */
    List<Graph> graphs() {
        return graphs;
    }

    private List<Work> block(List<Step> steps) {
        List<Work> work = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply ->
                        executable
                                .kernels()
                                .launches(apply.op(), operands(apply))
                                .forEach(launch -> work.add(bound(launch)));
                case Step.Update(Tensor variable, Tensor value) -> work.add(copy(value, variable));
                case Step.Repeat repeat -> work.add(repeat(repeat));
            }
        }
        return work;
    }

    private Work.Kernel bound(Launch launch) {
        return new Work.Kernel(
                executable.gpu().function(launch.entry()),
                launch.grid(),
                new Arguments(launch.arguments().stream().map(Argument::bytes).toList()));
    }

    private Operands operands(Step.Apply apply) {
        List<Operand> inputs = new ArrayList<>();
        for (int input = 0; input < apply.inputs().size(); input++) {
            Tensor tensor = apply.inputs().get(input);
            inputs.add(
                    isParameter(tensor)
                            ? packed(
                                    tensor,
                                    tensor.shape(),
                                    executable.kernels().packing(apply.op(), input))
                            : place(tensor));
        }
        List<Operand> results = new ArrayList<>();
        for (Tensor result : apply.results()) {
            results.add(plan.has(result) ? place(result) : Operand.NONE);
        }
        return new Operands(
                apply,
                input -> isParameter(apply.inputs().get(input)),
                inputs,
                results,
                plan.scratch(apply)
                        .map(slot -> new Operand(arena + slot.offset()))
                        .orElse(Operand.NONE),
                control::count,
                control::fault);
    }

    /**
     * The round is a value in device memory that a kernel of ours counts up at the start of the
     * body, and with it the offsets of the rows that belong to the round.
     */
    private Work repeat(Step.Repeat repeat) {
        List<Control.Move> moves = new ArrayList<>();
        for (Step.Row row : repeat.rows()) {
            rows.put(row.row(), new RowIn(row.stacked(), moves));
        }
        for (Step.Collected kept : repeat.collected()) {
            places.put(
                    kept.each(),
                    moved(place(kept.stacked()), kept.each().type().lengthBytes(), moves));
        }
        List<Work> begin = new ArrayList<>();
        for (Step.Carry carry : repeat.carries()) {
            addCopy(begin, carry.start(), carry.inside());
        }
        List<Work> steps = block(repeat.body());
        for (Step.Carry carry : repeat.carries()) {
            addCopy(steps, carry.end(), carry.inside());
        }
        boolean readsRound = plan.has(repeat.round());
        if (!readsRound && moves.isEmpty()) {
            return new Work.Loop(repeat.rounds(), begin, captured(steps));
        }
        Address counter = new Address(control.cell());
        begin.add(bound(Launch.blocks(Entry.BEGIN_ROUNDS, 1, counter)));
        List<Work> body = new ArrayList<>();
        body.add(
                bound(
                        Launch.blocks(
                                Entry.NEXT_ROUND,
                                1,
                                counter,
                                new Address(readsRound ? place(repeat.round()).address() : 0),
                                new Address(control.table(moves)),
                                new Int(moves.size()))));
        body.addAll(steps);
        return new Work.Loop(repeat.rounds(), begin, captured(body));
    }

    /** A body of launches becomes one graph; one that holds a loop stays a list. */
    private List<Work> captured(List<Work> body) {
        if (body.isEmpty() || body.stream().anyMatch(Work.Loop.class::isInstance)) {
            return body;
        }
        Graph graph = stream.capture(() -> Work.all(body, stream));
        graphs.add(graph);
        return List.of(new Work.Captured(graph));
    }

    private void addCopy(List<Work> copies, Tensor from, Tensor to) {
        boolean isInPlace =
                plan.has(from)
                        && plan.slot(from).bytesPerRound() == 0
                        && plan.slot(from).offset() == plan.slot(to).offset();
        if (!isInPlace) {
            copies.add(copy(from, to));
        }
    }

    private Work copy(Tensor from, Tensor to) {
        Operand source =
                isParameter(from)
                        ? packed(from, from.shape(), executable.kernels().packing(new Copy(), 0))
                        : place(from);
        Count elements = Operands.elements(to, control::count);
        return bound(GpuKernels.copy(source, place(to), elements, to.dtype()));
    }

    private boolean isParameter(Tensor tensor) {
        RowIn row = rows.get(tensor);
        return row == null
                ? executable.program().parameters().containsKey(tensor)
                : isParameter(row.stacked);
    }

    private Operand place(Tensor tensor) {
        Operand known = places.get(tensor);
        if (known != null) {
            return known;
        }
        RowIn row = rows.get(tensor);
        Operand place =
                row == null
                        ? new Operand(arena + plan.slot(tensor).offset())
                        : moved(place(row.stacked), tensor.type().lengthBytes(), row.moves);
        places.put(tensor, place);
        return place;
    }

    /**
     * A parameter in the form a kernel reads; a row of a stacked one moves by the packed size of
     * the rows below it, {@code each} being the shape that is packed as one.
     */
    private Operand packed(Tensor tensor, Shape each, Packing packing) {
        RowIn row = rows.get(tensor);
        if (row == null) {
            Parameter parameter = executable.program().parameters().get(tensor);
            return new Operand(executable.weights().address(parameter, each, packing));
        }
        return row.packed.computeIfAbsent(
                packing.layout() + each,
                _ -> {
                    long forms = tensor.shape().elements() / each.elements();
                    return moved(
                            packed(row.stacked, each, packing),
                            forms * packing.lengthBytes(each),
                            row.moves);
                });
    }

    /** A place that lies so many bytes further in another with each round. */
    private Operand moved(Operand within, long strideBytes, List<Control.Move> moves) {
        long cell = control.cell();
        moves.add(new Control.Move(cell, within.offset(), strideBytes));
        return new Operand(within.address(), cell);
    }

    /** The row of a round: the value it is a row of, and the moves of the loop that walks it. */
    private record RowIn(Tensor stacked, List<Control.Move> moves, Map<String, Operand> packed) {
        RowIn(Tensor stacked, List<Control.Move> moves) {
            this(stacked, moves, new HashMap<>());
        }
    }
}

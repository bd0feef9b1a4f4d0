package io.cyclane.tensor.host;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.memory.Buffer;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.op.Copy;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Turns planned steps into kernels on memory. */
final class Binder {
    private final HostExecutable executable;
    private final MemoryPlan plan;
    private final Buffer memory;
    private final Counts counts;
    private final Map<Tensor, Place> places = new HashMap<>();
    private final Map<Tensor, RowIn> rows = new HashMap<>();
    private final Kernel[] kernels;

    Binder(
            HostExecutable executable,
            Buffer memory,
            Map<String, Buffer> inputs,
            Function<Extent.Bounded, Count> counts,
            State state) {
        this.executable = executable;
        this.plan = executable.plan();
        this.memory = memory;
        this.counts = new Counts(counts);
        Program program = executable.program();
        for (Tensor input : program.inputs()) {
            places.put(input, new Place(inputs.get(input.name()).segment(), 0));
        }
        program.variables()
                .forEach((tensor, variable) ->
                        places.put(tensor, new Place(state.buffer(variable).segment(), 0)));
        this.kernels = block(program.steps());
    }

    Kernel[] kernels() {
        return kernels;
    }

    private Kernel[] block(List<Step> steps) {
        List<Kernel> bound = new ArrayList<>();
        for (Step step : steps) {
            bound.add(
                    switch (step) {
                        case Step.Apply apply -> apply(apply);
                        case Step.Update(Tensor variable, Tensor value) -> copy(value, variable);
                        case Step.Repeat repeat -> repeat(repeat);
                    });
        }
        return bound.toArray(Kernel[]::new);
    }

    private Kernel apply(Step.Apply apply) {
        List<Place> inputs = new ArrayList<>();
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
        List<@Nullable Place> results = new ArrayList<>();
        for (Tensor result : apply.results()) {
            results.add(plan.has(result) ? place(result) : null);
        }
        Place scratch =
                plan.scratch(apply)
                        .map(slot -> new Place(memory.segment(), slot.offset()))
                        .orElse(null);
        return executable
                .kernels()
                .kernel(apply.op(), new Operands(apply, inputs, results, scratch, counts));
    }

    private Kernel repeat(Step.Repeat repeat) {
        List<RepeatKernel.Move> moves = new ArrayList<>();
        for (Step.Row row : repeat.rows()) {
            rows.put(row.row(), new RowIn(row.stacked(), moves));
        }
        for (Step.Collected kept : repeat.collected()) {
            Place stacked = place(kept.stacked());
            Place each = new Place(stacked.segment(), stacked.offset());
            places.put(kept.each(), each);
            moves.add(new RepeatKernel.Move(each, stacked, kept.each().type().lengthBytes()));
        }
        List<Kernel> open = new ArrayList<>();
        List<Kernel> next = new ArrayList<>();
        for (Step.Carry carry : repeat.carries()) {
            addCopy(open, carry.start(), carry.inside());
        }
        Kernel[] body = block(repeat.body());
        for (Step.Carry carry : repeat.carries()) {
            addCopy(next, carry.end(), carry.inside());
        }
        Place round = plan.has(repeat.round()) ? place(repeat.round()) : null;
        return new RepeatKernel(
                repeat.rounds(),
                round,
                moves.toArray(RepeatKernel.Move[]::new),
                open.toArray(Kernel[]::new),
                body,
                next.toArray(Kernel[]::new));
    }

    private void addCopy(List<Kernel> copies, Tensor from, Tensor to) {
        boolean isInPlace =
                plan.has(from)
                        && plan.slot(from).bytesPerRound() == 0
                        && plan.slot(from).offset() == plan.slot(to).offset();
        if (!isInPlace) {
            copies.add(copy(from, to));
        }
    }

    private Kernel copy(Tensor from, Tensor to) {
        Type type = to.type();
        Place source =
                isParameter(from)
                        ? packed(from, from.shape(), executable.kernels().packing(new Copy(), 0))
                        : place(from);
        return new CopyKernel(source, place(to), counts.elements(type), type.dtype().bytes());
    }

    private boolean isParameter(Tensor tensor) {
        RowIn row = rows.get(tensor);
        return row == null
                ? executable.program().parameters().containsKey(tensor)
                : isParameter(row.stacked);
    }

    private Place place(Tensor tensor) {
        Place known = places.get(tensor);
        if (known != null) {
            return known;
        }
        RowIn row = rows.get(tensor);
        Place place =
                row == null
                        ? new Place(memory.segment(), plan.slot(tensor).offset())
                        : row.place(place(row.stacked), tensor.type().lengthBytes());
        places.put(tensor, place);
        return place;
    }

    /**
     * A parameter in the form a kernel reads; a row of a stacked one moves by the packed size of
     * the rows below it, {@code each} being the shape that is packed as one.
     */
    private Place packed(Tensor tensor, Shape each, Packing packing) {
        RowIn row = rows.get(tensor);
        if (row == null) {
            Parameter parameter = executable.program().parameters().get(tensor);
            return executable.weights().packed(parameter, each, packing);
        }
        long forms = tensor.shape().elements() / each.elements();
        return row.place(packed(row.stacked, each, packing), forms * packing.lengthBytes(each));
    }

    /** The row of a round: the value it is a row of, and the moves of the loop that walks it. */
    private record RowIn(Tensor stacked, List<RepeatKernel.Move> moves) {
        Place place(Place stackedPlace, long strideBytes) {
            Place row = new Place(stackedPlace.segment(), stackedPlace.offset());
            moves.add(new RepeatKernel.Move(row, stackedPlace, strideBytes));
            return row;
        }
    }
}

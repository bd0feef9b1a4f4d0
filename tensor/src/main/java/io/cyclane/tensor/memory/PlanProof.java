package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The independent check of a plan, and the floor no plan can go under. It knows nothing of
 * lifetimes: it plays the program with every loop unrolled, twice where it runs longer, and
 * remembers for every byte which write it holds.
 *
 * <p>A plan is sound if every read finds the bytes of the very write it means. That is what a run
 * would show on an arena filled with NaN, without the arithmetic: a check of the planner's own
 * intervals for overlap passes plans that compute wrong numbers, since the mistake is then in the
 * intervals.
 */
final class PlanProof {
    /** Two rounds show what a round does to the next; the ones after repeat the second. */
    private static final int ROUNDS = 2;

    private final Program program;
    private final PlanOptions options;
    private final Set<Tensor> leaves = new HashSet<>();
    private final Map<Tensor, Write> current = new HashMap<>();
    private final Map<Tensor, Map<Integer, Write>> collected = new HashMap<>();
    private final Map<Tensor, RowOf> rows = new HashMap<>();
    private final Map<Tensor, Tensor> stackOf = new HashMap<>();
    private final Map<Tensor, Integer> roundOf = new HashMap<>();
    private final List<Write> writes = new ArrayList<>();
    private final List<Overlay> overlays = new ArrayList<>();
    private final Map<Integer, Long> scratchAt = new HashMap<>();
    private final TreeMap<Long, Span> memory = new TreeMap<>();
    private @Nullable MemoryPlan plan;
    private @Nullable String fault;
    private int now;

    PlanProof(Program program, PlanOptions options) {
        this.program = program;
        this.options = options;
        leaves.addAll(program.inputs());
        leaves.addAll(program.parameters().keySet());
        leaves.addAll(program.variables().keySet());
    }

    /** {@return the first read that would find other bytes than it means, in words} */
    Optional<String> fault(MemoryPlan checked) {
        plan = checked;
        play();
        return Optional.ofNullable(fault);
    }

    /** {@return the most bytes alive at one time, collected values aside} */
    long floorBytes() {
        play();
        long[] alive = new long[now + 2];
        for (Write write : writes) {
            alive[write.time] += write.bytes;
            alive[Math.max(write.lastRead, write.time) + 1] -= write.bytes;
        }
        long[] saved = new long[now + 2];
        Set<Write> taken = new HashSet<>();
        Set<Write> placed = new HashSet<>();
        for (Overlay overlay : overlays) {
            boolean mayShare =
                    overlay.from.lastRead == overlay.to.time
                            && overlay.from.bytes == overlay.to.bytes;
            if (mayShare && !taken.contains(overlay.from) && placed.add(overlay.to)) {
                taken.add(overlay.from);
                saved[overlay.to.time] += overlay.to.bytes;
            }
        }
        long floor = 0;
        long sum = 0;
        for (int time = 0; time <= now; time++) {
            sum += alive[time];
            floor = Math.max(floor, sum - saved[time] + scratchAt.getOrDefault(time, 0L));
        }
        return floor;
    }

    private void play() {
        block(program.steps());
        now++;
        program.outputs().values().forEach(output -> read(output, "the caller"));
    }

    private void block(List<Step> steps) {
        for (Step step : steps) {
            now++;
            switch (step) {
                case Step.Apply apply -> apply(apply);
                case Step.Update update -> read(update.value(), "an update");
                case Step.Repeat repeat -> repeat(repeat);
            }
        }
    }

    private void apply(Step.Apply apply) {
        apply.inputs().forEach(input -> read(input, apply.op().label()));
        List<Write> before = apply.inputs().stream().map(this::single).toList();
        for (int result = 0; result < apply.results().size(); result++) {
            Tensor to = apply.results().get(result);
            if (apply.op().mayOmit(result) && !isPlanned(to)) {
                continue;
            }
            checkApart(apply, result);
            Write write = write(to);
            for (int input = 0; input < before.size(); input++) {
                Write from = before.get(input);
                if (from != null && apply.mayOverlay(result, apply.inputs().get(input))) {
                    overlays.add(new Overlay(from, write));
                }
            }
        }
        if (apply.scratchBytes() > 0) {
            scratchAt.put(now, options.align(apply.scratchBytes()));
            scribble(apply);
        }
    }

    /**
     * While the floor is worked out, a result nobody reads costs nothing; a plan tells whether it
     * gave it a place.
     */
    private boolean isPlanned(Tensor tensor) {
        return plan == null ? isReadLater(tensor) : plan.has(tensor);
    }

    private boolean isReadLater(Tensor tensor) {
        return program.outputs().containsValue(tensor) || readers(program.steps(), tensor);
    }

    private static boolean readers(List<Step> steps, Tensor tensor) {
        return steps.stream()
                .anyMatch(step ->
                        switch (step) {
                            case Step.Apply apply -> apply.inputs().contains(tensor);
                            case Step.Update update -> update.value() == tensor;
                            case Step.Repeat repeat ->
                                    repeat.carries().stream()
                                                    .anyMatch(c ->
                                                            c.start() == tensor
                                                                    || c.end() == tensor)
                                            || repeat.rows().stream()
                                                    .anyMatch(r -> r.stacked() == tensor)
                                            || repeat.collected().stream()
                                                    .anyMatch(c -> c.each() == tensor)
                                            || readers(repeat.body(), tensor);
                        });
    }

    private void repeat(Step.Repeat repeat) {
        List<Write> starts = new ArrayList<>();
        for (Step.Carry carry : repeat.carries()) {
            read(carry.start(), "a repeat");
            starts.add(single(carry.start()));
            hand(carry.start(), carry.inside());
        }
        int rounds = Math.min(repeat.rounds(), ROUNDS);
        for (int round = 0; round < rounds; round++) {
            now++;
            if (isPlanned(repeat.round())) {
                write(repeat.round());
            }
            for (Step.Row row : repeat.rows()) {
                rows.put(row.row(), new RowOf(row.stacked(), round));
            }
            for (Step.Collected kept : repeat.collected()) {
                stackOf.put(kept.each(), kept.stacked());
                roundOf.put(kept.each(), round);
            }
            block(repeat.body());
            now++;
            for (Step.Carry carry : repeat.carries()) {
                read(carry.end(), "the next round");
                hand(carry.end(), carry.inside());
            }
        }
        for (Step.Carry carry : repeat.carries()) {
            current.put(carry.result(), current(carry.inside()));
        }
    }

    /** A carry takes a value over: by a copy, or by lying where the value lies. */
    private void hand(Tensor from, Tensor to) {
        if (from == to) {
            return;
        }
        Write source = single(from);
        boolean isInPlace =
                plan != null
                        && plan.has(from)
                        && plan.slot(from, round(from)).offset() == plan.slot(to).offset();
        if (isInPlace && source != null) {
            current.put(to, source);
            return;
        }
        Write target = write(to);
        if (source != null && !stackOf.containsKey(from)) {
            overlays.add(new Overlay(source, target));
        }
    }

    private Write write(Tensor tensor) {
        boolean isKept = stackOf.containsKey(tensor);
        Write write =
                new Write(tensor, isKept ? 0 : options.align(tensor.type().lengthBytes()), now);
        writes.add(write);
        current.put(tensor, write);
        if (isKept) {
            collected
                    .computeIfAbsent(stackOf.get(tensor), _ -> new HashMap<>())
                    .put(round(tensor), write);
        }
        if (plan != null) {
            Slot slot = plan.slot(tensor, round(tensor));
            if (slot.length() != tensor.type().lengthBytes()
                    || slot.offset() + slot.length() > plan.totalBytes()) {
                fail("the slot of " + tensor + " does not fit it: " + slot);
            }
            stamp(slot.offset(), slot.length(), write);
        }
        return write;
    }

    private int round(Tensor tensor) {
        return roundOf.getOrDefault(tensor, 0);
    }

    private void scribble(Step.Apply apply) {
        if (plan == null) {
            return;
        }
        Slot slot = plan.scratch(apply).orElse(null);
        if (slot == null || slot.length() < apply.scratchBytes()) {
            fail("step " + apply + " has no scratch of " + apply.scratchBytes() + " bytes");
            return;
        }
        for (List<Tensor> tensors : List.of(apply.inputs(), apply.results())) {
            for (Tensor tensor : tensors) {
                if (plan.has(tensor) && overlaps(slot, plan.slot(tensor, round(tensor)))) {
                    fail("the scratch of " + apply + " overlaps " + tensor);
                }
            }
        }
        stamp(slot.offset(), slot.length(), null);
    }

    /**
     * A result may lie on an input only where the operation allows it, and then exactly; never on
     * another result.
     */
    private void checkApart(Step.Apply apply, int result) {
        if (plan == null) {
            return;
        }
        Tensor to = apply.results().get(result);
        Slot slot = plan.slot(to, round(to));
        for (int input = 0; input < apply.inputs().size(); input++) {
            Tensor from = apply.inputs().get(input);
            if (!plan.has(from)) {
                continue;
            }
            Slot other = plan.slot(from, round(from));
            boolean isExact = slot.offset() == other.offset() && slot.length() == other.length();
            if (overlaps(slot, other) && !(isExact && apply.op().mayOverlay(result, input))) {
                fail("step " + apply + " writes " + to + " over its input " + from);
            }
        }
        for (Tensor other : apply.results()) {
            if (other != to && plan.has(other) && overlaps(slot, plan.slot(other, round(other)))) {
                fail("step " + apply + " writes " + to + " over its result " + other);
            }
        }
    }

    private static boolean overlaps(Slot a, Slot b) {
        return a.offset() < b.offset() + b.length() && b.offset() < a.offset() + a.length();
    }

    private @Nullable Write single(Tensor tensor) {
        return leaves.contains(tensor) || rows.containsKey(tensor) || collected.containsKey(tensor)
                ? null
                : current(tensor);
    }

    private Write current(Tensor tensor) {
        Write write = current.get(tensor);
        if (write == null) {
            throw new AssertionError(tensor + " is read before it is written");
        }
        return write;
    }

    private void read(Tensor tensor, String reader) {
        if (leaves.contains(tensor)) {
            return;
        }
        RowOf row = rows.get(tensor);
        if (row != null) {
            readRow(tensor, row, reader);
        } else if (collected.containsKey(tensor)) {
            long rowBytes = tensor.type().with(tensor.shape().withoutFirst()).lengthBytes();
            collected
                    .get(tensor)
                    .forEach((round, write) ->
                            readBytes(tensor, round * rowBytes, rowBytes, write, reader));
        } else {
            readBytes(tensor, 0, tensor.type().lengthBytes(), current(tensor), reader);
        }
    }

    /** A row of a row, and so on, is a range of bytes of the value that is stacked outermost. */
    private void readRow(Tensor tensor, RowOf row, String reader) {
        long length = tensor.type().lengthBytes();
        long at = row.round * length;
        Tensor base = row.stacked;
        while (rows.containsKey(base)) {
            RowOf outer = rows.get(base);
            at += outer.round * base.type().lengthBytes();
            base = outer.stacked;
        }
        if (leaves.contains(base)) {
            return;
        }
        Map<Integer, Write> kept = collected.get(base);
        if (kept == null) {
            readBytes(base, at, length, current(base), reader);
            return;
        }
        long keptBytes = base.type().with(base.shape().withoutFirst()).lengthBytes();
        Write write = kept.get((int) (at / keptBytes));
        if (write != null) {
            readBytes(base, at, length, write, reader);
        }
    }

    private void readBytes(Tensor tensor, long from, long length, Write wanted, String reader) {
        wanted.lastRead = now;
        if (plan == null) {
            return;
        }
        long at = plan.slot(tensor, round(tensor)).offset() + from;
        long end = at + length;
        while (at < end) {
            Map.Entry<Long, Span> entry = memory.floorEntry(at);
            if (entry == null || entry.getValue().end <= at || entry.getValue().write != wanted) {
                Write found =
                        entry == null || entry.getValue().end <= at ? null : entry.getValue().write;
                fail(
                        reader
                                + " reads "
                                + wanted.tensor
                                + " but finds "
                                + (found == null ? "scratch or nothing" : found.tensor));
                return;
            }
            at = entry.getValue().end;
        }
    }

    private void stamp(long offset, long length, @Nullable Write write) {
        long end = offset + length;
        Map.Entry<Long, Span> before = memory.lowerEntry(offset);
        if (before != null && before.getValue().end > offset) {
            memory.put(before.getKey(), new Span(offset, before.getValue().write));
            if (before.getValue().end > end) {
                memory.put(end, before.getValue());
            }
        }
        Map.Entry<Long, Span> last = memory.lowerEntry(end);
        if (last != null && last.getKey() >= offset && last.getValue().end > end) {
            memory.put(end, last.getValue());
        }
        memory.subMap(offset, true, end, false).clear();
        memory.put(offset, new Span(end, write));
    }

    private void fail(String message) {
        if (fault == null) {
            fault = message;
        }
    }

    /** One write of one value. */
    private static final class Write {
        final Tensor tensor;
        final long bytes;
        final int time;
        int lastRead;

        Write(Tensor tensor, long bytes, int time) {
            this.tensor = tensor;
            this.bytes = bytes;
            this.time = time;
        }
    }

    /** A write that may lie where another does, if nobody reads that one later. */
    private record Overlay(Write from, Write to) {}

    /** The row of a round. */
    private record RowOf(Tensor stacked, int round) {}

    /** Bytes up to {@code end} that hold one write, or scratch. */
    private record Span(long end, @Nullable Write write) {}
}

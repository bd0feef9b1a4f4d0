package io.cyclane.tensor.program;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A repeat being recorded: open from {@link Recorder#loop} to {@link #close}, between which the
 * recorder records its body.
 *
 * <pre>{@code
 * Loop loop = g.loop(12);
 * Tensor h = loop.carry(x);
 * Tensor scale = loop.row(scales);
 * Tensor next = g.add(h, g.multiply(g.matMul(h, w), scale));
 * loop.next(h, next);
 * Tensor states = loop.collect(next);
 * loop.close();
 * Tensor y = loop.result(h);
 * }</pre>
 */
public final class Loop {
    private final Recorder recorder;
    private final int rounds;
    private final int depth;
    private final Tensor round;
    private final Map<Tensor, OpenCarry> carries = new LinkedHashMap<>();
    private final List<Step.Row> rows = new ArrayList<>();
    private final List<Step.Collected> collected = new ArrayList<>();
    private boolean closed;

    Loop(Recorder recorder, int rounds) {
        if (rounds < 1) {
            throw new ProgramException("a repeat has at least 1 round, not " + rounds);
        }
        this.recorder = recorder;
        this.rounds = rounds;
        this.depth = recorder.depth();
        this.round = recorder.tensor("round", Type.i32(Shape.SCALAR));
    }

    /** {@return the round as a value: an I32 scalar, 0 in the first round} */
    public Tensor round() {
        return round;
    }

    /**
     * {@return the value as the body sees it: start in the first round, then what {@link #next}
     * named}
     */
    public Tensor carry(Tensor start) {
        requireInnermost();
        requireOutside(start);
        Tensor inside = recorder.tensor(start.name(), start.type());
        carries.put(inside, new OpenCarry(start));
        return inside;
    }

    /** {@return the row of the round, [..], of a stacked value, [N, ..]} */
    public Tensor row(Tensor stacked) {
        requireInnermost();
        requireOutside(stacked);
        if (stacked.shape().rank() == 0 || !stacked.shape().extent(0).equals(Extent.of(rounds))) {
            throw new ProgramException(
                    "'%s' must have a row for each of %d rounds, is %s"
                            .formatted(stacked.name(), rounds, stacked.type()));
        }
        Tensor row =
                recorder.tensor(
                        stacked.name(), stacked.type().with(stacked.shape().withoutFirst()));
        rows.add(new Step.Row(stacked, row));
        return row;
    }

    /**
     * Names the value that a carry takes in the next round. A variable hands on what it holds where
     * this is recorded.
     */
    public void next(Tensor inside, Tensor end) {
        requireInnermost();
        OpenCarry carry = carries.get(inside);
        if (carry == null) {
            throw new ProgramException("'" + inside.name() + "' is not a carry of this repeat");
        }
        carry.end = end == inside || recorder.isWrittenHere(end) ? end : recorder.copy(end);
    }

    /** {@return all rounds' values of each, [N, ..], to be read after the loop is closed} */
    public Tensor collect(Tensor each) {
        requireInnermost();
        boolean isKept = collected.stream().anyMatch(kept -> kept.each() == each);
        Tensor own = recorder.isComputedHere(each) && !isKept ? each : recorder.copy(each);
        Type type = each.type();
        Tensor stacked =
                recorder.tensor(each.name(), type.with(type.shape().prepend(Extent.of(rounds))));
        collected.add(new Step.Collected(own, stacked));
        return stacked;
    }

    /** Ends the body. */
    public void close() {
        requireInnermost();
        closed = true;
        Set<Tensor> used = new HashSet<>();
        collected.forEach(kept -> used.add(kept.each()));
        List<Step.Carry> ends = new ArrayList<>();
        carries.forEach((inside, carry) -> ends.add(carry.close(inside, used)));
        List<Step> body = recorder.endBody();
        recorder.add(new Step.Repeat(rounds, round, ends, rows, collected, body));
    }

    /** The arguments of a loop's first calls are easily recorded into its body. */
    private void requireOutside(Tensor tensor) {
        boolean isInside =
                tensor == round
                        || carries.containsKey(tensor)
                        || rows.stream().anyMatch(row -> row.row() == tensor)
                        || recorder.isWrittenHere(tensor);
        if (isInside) {
            throw new ProgramException(
                    "'%s' is a value of the repeat's body, not one outside: compute it before the repeat of %d rounds is opened"
                            .formatted(tensor.name(), rounds));
        }
    }

    private void requireInnermost() {
        if (closed || recorder.depth() != depth) {
            throw new ProgramException(
                    closed
                            ? "the repeat of %d rounds is closed: nothing can be added to it"
                                    .formatted(rounds)
                            : "a repeat inside the one of %d rounds is still open: close it first"
                                    .formatted(rounds));
        }
    }

    /** {@return what a carry is after the last round} */
    public Tensor result(Tensor inside) {
        OpenCarry carry = carries.get(inside);
        if (!closed || carry == null || carry.result == null) {
            throw new ProgramException(
                    "'"
                            + inside.name()
                            + "' has no result: "
                            + (closed ? "it is no carry" : "close the repeat first"));
        }
        return carry.result;
    }

    /** A carry whose end is not known yet. */
    private final class OpenCarry {
        private final Tensor start;
        private @Nullable Tensor end;
        private @Nullable Tensor result;

        OpenCarry(Tensor start) {
            this.start = start;
        }

        /**
         * A carry ends in itself or in a value of its own, so that the hand-over can not tangle; an
         * end that is kept or handed on elsewhere too is copied once here.
         */
        Step.Carry close(Tensor inside, Set<Tensor> used) {
            if (end == null) {
                throw new ProgramException(
                        "carry '" + inside.name() + "' has no next value: name it with next");
            }
            Tensor own = end;
            if (own != inside && !used.add(own)) {
                own = recorder.copy(own);
            }
            result = recorder.tensor(start.name(), start.type());
            return new Step.Carry(start, inside, own, result);
        }
    }
}

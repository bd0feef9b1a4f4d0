package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.Timeline.Block;
import io.cyclane.tensor.memory.Timeline.Event;
import io.cyclane.tensor.memory.Timeline.Life;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which values are one piece of memory: an operation that may write over its input does, if
 * nobody reads that input later; and a carry is one piece from the value that starts it to the
 * value it becomes.
 *
 * <p>What keeps this right, each learnt from a wrong result: a body writes over values of its own
 * block only, never over what was made outside it; over its own carry only on the way to that
 * carry's end, never another's; and the value that starts a carry becomes the carry only if nobody
 * else reads it.
 */
final class Storage {
    private final Timeline timeline;
    private final Map<Tensor, Piece> pieces = new HashMap<>();
    private final Set<Piece> all = new LinkedHashSet<>();

    /** Values that start a carry: the first carry to start in one may take its place. */
    private final Set<Tensor> started = new HashSet<>();

    /**
     * Works out the pieces of a program's values; without {@code merge} only carries are shared.
     */
    Storage(Program program, PlanOptions options, boolean merge) {
        this.timeline = new Timeline(program);
        for (Life life : timeline.lives().values()) {
            boolean isNeeded =
                    life.isRead || life.isOutput || isAlwaysWritten(life) || isCarry(life);
            if (isNeeded) {
                Piece piece = new Piece(life, options.align(life.tensor.type().lengthBytes()));
                pieces.put(life.tensor, piece);
                all.add(piece);
            }
        }
        for (Event event : timeline.events()) {
            switch (event.step()) {
                case Step.Apply apply -> {
                    if (merge) {
                        mergeInPlace(apply, event);
                    }
                    addScratch(apply, event, options);
                }
                case Step.Update _ -> {}
                case Step.Repeat repeat -> {
                    if (event.kind() == Event.Kind.OPEN) {
                        repeat.carries().forEach(carry -> openCarry(carry, event, merge));
                    } else if (merge) {
                        repeat.carries().forEach(carry -> mergeEnd(carry, event));
                    }
                }
            }
        }
    }

    /** {@return the pieces, in the order first written} */
    Set<Piece> pieces() {
        return Collections.unmodifiableSet(all);
    }

    /** {@return the piece each value lies in} */
    Map<Tensor, Piece> byTensor() {
        return Collections.unmodifiableMap(pieces);
    }

    /** {@return what happens at this time, in words} */
    String moment(int time) {
        if (time >= timeline.events().size()) {
            return "the end";
        }
        Event event = timeline.events().get(time);
        return switch (event.step()) {
            case Step.Apply apply -> apply.toString();
            case Step.Update update -> "update of '" + update.variable().name() + "'";
            case Step.Repeat repeat ->
                    "the %s of the repeat of '%s'"
                            .formatted(
                                    event.kind() == Event.Kind.OPEN ? "start" : "end",
                                    repeat.carries().getFirst().start().name());
        };
    }

    /** {@return the most bytes taken at one time: with these merges no arena is smaller} */
    long mostTakenBytes() {
        long[] change = new long[timeline.events().size() + 2];
        for (Piece piece : all) {
            for (int i = 0; i < piece.spans.length; i += 2) {
                change[piece.spans[i]] += piece.bytes;
                change[piece.spans[i + 1] + 1] -= piece.bytes;
            }
        }
        long most = 0;
        long taken = 0;
        for (long bytes : change) {
            taken += bytes;
            most = Math.max(most, taken);
        }
        return most;
    }

    /** A result that its operation can not leave out needs a place even if nobody reads it. */
    private boolean isAlwaysWritten(Life life) {
        return timeline.events().get(life.written).step() instanceof Step.Apply apply
                && !apply.op().mayOmit(apply.results().indexOf(life.tensor));
    }

    private boolean isCarry(Life life) {
        return timeline.events().get(life.written).step() instanceof Step.Repeat repeat
                && repeat.carries().stream()
                        .anyMatch(carry ->
                                carry.inside() == life.tensor || carry.result() == life.tensor);
    }

    private void addScratch(Step.Apply apply, Event event, PlanOptions options) {
        if (apply.scratchBytes() > 0) {
            Piece piece = new Piece(apply, event.time(), options.align(apply.scratchBytes()));
            all.add(piece);
        }
    }

    private void mergeInPlace(Step.Apply apply, Event event) {
        Set<Tensor> taken = new HashSet<>();
        for (int result = 0; result < apply.results().size(); result++) {
            Piece written = pieces.get(apply.results().get(result));
            if (written == null) {
                continue;
            }
            for (Tensor from : carryFirst(apply, result, event.block())) {
                if (apply.mayOverlay(result, from)
                        && !taken.contains(from)
                        && mayContinue(
                                from, apply.results().get(result), event.block(), event.time())) {
                    taken.add(from);
                    merge(pieces.get(from), written);
                    break;
                }
            }
        }
    }

    /**
     * The inputs of a step, in their order but for what lies in a carry's place: where the result
     * is that carry's end it goes first, as the carry is not to be copied at the end of every
     * round.
     */
    private List<Tensor> carryFirst(Step.Apply apply, int result, Block block) {
        Step.Carry ends = block.carryEndingIn(apply.results().get(result));
        List<Tensor> inputs = new ArrayList<>(apply.inputs());
        if (ends != null) {
            inputs.sort((a, b) -> Boolean.compare(liesIn(ends, b, block), liesIn(ends, a, block)));
        }
        return inputs;
    }

    private boolean liesIn(Step.Carry carry, Tensor tensor, Block block) {
        Piece piece = pieces.get(tensor);
        return piece != null && piece.carryOf.get(block) == carry;
    }

    /**
     * Whether {@code next}, written at this time in this block, may take the place of {@code from}.
     */
    private boolean mayContinue(Tensor from, Tensor next, Block block, int time) {
        Life life = timeline.lives().get(from);
        Piece piece = pieces.get(from);
        if (life == null
                || piece == null
                || life.isOutput
                || life.block != block
                || life.lastRead != time) {
            return false;
        }
        if (from.type().lengthBytes() != next.type().lengthBytes()) {
            return false;
        }
        Step.Carry own = piece.carryOf.get(block);
        Step.Carry ends = block.carryEndingIn(next);
        return own == null || ends == null || own == ends;
    }

    /** The inside and the result are one piece; the start joins it if nobody else reads it. */
    private void openCarry(Step.Carry carry, Event event, boolean merge) {
        Piece piece = merge(pieces.get(carry.inside()), pieces.get(carry.result()));
        piece.carryOf.put(event.block(), carry);
        if (merge
                && started.add(carry.start())
                && mayContinue(
                        carry.start(), carry.result(), event.block().outer(), event.time())) {
            merge(pieces.get(carry.start()), piece);
        }
    }

    /**
     * The end is written where the carry lies if nothing reads the old carry any more: then there
     * is nothing to copy.
     */
    private void mergeEnd(Step.Carry carry, Event close) {
        Piece piece = pieces.get(carry.inside());
        Piece end = pieces.get(carry.end());
        if (piece == null
                || end == null
                || piece == end
                || end.carryOf.containsKey(close.block())) {
            return;
        }
        int lastReadInside =
                piece.members.stream()
                        .filter(m -> m.written >= close.block().open && m.written < close.time())
                        .mapToInt(m -> m.lastRead)
                        .max()
                        .orElseThrow();
        if (end.bytes == piece.bytes && end.from() > lastReadInside) {
            merge(piece, end);
        }
    }

    /** Makes two pieces one, in the place of the first. */
    private Piece merge(@Nullable Piece into, @Nullable Piece gone) {
        if (into == null || gone == null) {
            throw new AssertionError("only values in the arena share memory");
        }
        into.absorb(gone);
        gone.members.forEach(member -> pieces.put(member.tensor, into));
        all.remove(gone);
        return into;
    }

    /**
     * Values that lie in one place, one after the other. Between the last read of one and the write
     * of the next the place is free: a carry's place from its last read in a round to its next
     * value.
     */
    static final class Piece {
        final long bytes;
        final List<Life> members = new ArrayList<>();
        final Step.@Nullable Apply scratchOf;
        long offset = -1;

        /** The loops whose body sees this piece as its carry, each with that carry. */
        final Map<Block, Step.Carry> carryOf = new LinkedHashMap<>();

        /** When the place is taken: from, to, from, to, rising, both ends within. */
        private int[] spans;

        Piece(Life life, long bytes) {
            this.bytes = bytes;
            this.scratchOf = null;
            this.spans = new int[] {life.written, life.lastRead};
            members.add(life);
        }

        Piece(Step.Apply scratchOf, int time, long bytes) {
            this.bytes = bytes;
            this.scratchOf = scratchOf;
            this.spans = new int[] {time, time};
        }

        private void absorb(Piece other) {
            members.addAll(other.members);
            carryOf.putAll(other.carryOf);
            spans = united(spans, other.spans);
        }

        private static int[] united(int[] a, int[] b) {
            int[] all = new int[a.length + b.length];
            int length = 0;
            for (int i = 0, j = 0; i < a.length || j < b.length; ) {
                boolean isFromA = j == b.length || i < a.length && a[i] <= b[j];
                int from = isFromA ? a[i] : b[j];
                int to = isFromA ? a[i + 1] : b[j + 1];
                if (isFromA) {
                    i += 2;
                } else {
                    j += 2;
                }
                if (length > 0 && from <= all[length - 1]) {
                    all[length - 1] = Math.max(all[length - 1], to);
                } else {
                    all[length++] = from;
                    all[length++] = to;
                }
            }
            return Arrays.copyOf(all, length);
        }

        /** Shows every span of time in which the place is taken, its last moment within. */
        void eachSpan(Span span) {
            for (int i = 0; i < spans.length; i += 2) {
                span.see(spans[i], spans[i + 1]);
            }
        }

        /** {@return when the place is first taken} */
        int from() {
            return spans[0];
        }

        /** {@return when the place is last taken} */
        int to() {
            return spans[spans.length - 1];
        }

        /** {@return whether the place is taken at this time} */
        boolean isTakenAt(int time) {
            for (int i = 0; i < spans.length; i += 2) {
                if (spans[i] <= time && time <= spans[i + 1]) {
                    return true;
                }
            }
            return false;
        }

        /** {@return whether both are taken at some time} */
        boolean meets(Piece other) {
            for (int i = 0, j = 0; i < spans.length && j < other.spans.length; ) {
                if (spans[i] <= other.spans[j + 1] && other.spans[j] <= spans[i + 1]) {
                    return true;
                }
                if (spans[i + 1] < other.spans[j + 1]) {
                    i += 2;
                } else {
                    j += 2;
                }
            }
            return false;
        }
    }

    /** Sees a span of time. */
    interface Span {
        void see(int from, int to);
    }
}

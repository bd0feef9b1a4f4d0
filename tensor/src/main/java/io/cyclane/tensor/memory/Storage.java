package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.Timeline.Block;
import io.cyclane.tensor.memory.Timeline.Event;
import io.cyclane.tensor.memory.Timeline.Life;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
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

    /** {@return the program's time of end} */
    int end() {
        return timeline.events().size();
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
            for (int input = 0; input < apply.inputs().size(); input++) {
                Tensor from = apply.inputs().get(input);
                boolean isReadOnce = Collections.frequency(apply.inputs(), from) == 1;
                if (apply.op().mayOverlay(result, input)
                        && isReadOnce
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
        boolean isStartedOnce =
                ((Step.Repeat) event.step())
                                .carries().stream().filter(c -> c.start() == carry.start()).count()
                        == 1;
        if (merge
                && isStartedOnce
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
        if (piece == null || end == null || piece == end || !end.carryOf.isEmpty()) {
            return;
        }
        int lastReadInside =
                piece.members.stream()
                        .filter(m -> m.written >= close.block().open && m.tensor != carry.result())
                        .mapToInt(m -> m.lastRead)
                        .max()
                        .orElseThrow();
        if (end.bytes == piece.bytes && end.from > lastReadInside) {
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

    /** Values that lie in one place, and the time from the first write to the last read. */
    static final class Piece {
        final long bytes;
        final List<Life> members = new ArrayList<>();
        final Step.@Nullable Apply scratchOf;
        int from;
        int to;
        long offset = -1;

        /** The loops whose body sees this piece as its carry, each with that carry. */
        final Map<Block, Step.Carry> carryOf = new LinkedHashMap<>();

        Piece(Life life, long bytes) {
            this.bytes = bytes;
            this.scratchOf = null;
            this.from = life.written;
            this.to = life.lastRead;
            members.add(life);
        }

        Piece(Step.Apply scratchOf, int time, long bytes) {
            this.bytes = bytes;
            this.scratchOf = scratchOf;
            this.from = time;
            this.to = time;
        }

        private void absorb(Piece other) {
            members.addAll(other.members);
            carryOf.putAll(other.carryOf);
            from = Math.min(from, other.from);
            to = Math.max(to, other.to);
        }

        boolean meets(Piece other) {
            return from <= other.to && other.from <= to;
        }
    }
}

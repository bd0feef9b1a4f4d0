package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where every value of one program lies in its arena. Immutable; belongs to that program alone, by
 * fingerprint.
 *
 * <p>Inputs, weights and variables are not in it: the session, the weights and the state own those.
 */
public final class MemoryPlan {
    private final Program program;
    private final PlanOptions options;
    private final Map<Tensor, Slot> slots;
    private final Map<Step.Apply, Slot> scratch;
    private final List<Stash> stashes;
    private final long arenaBytes;
    private final long totalBytes;

    MemoryPlan(
            Program program,
            PlanOptions options,
            Map<Tensor, Slot> slots,
            Map<Step.Apply, Slot> scratch,
            List<Stash> stashes,
            long arenaBytes,
            long totalBytes) {
        this.program = program;
        this.options = options;
        this.slots = new HashMap<>(slots);
        this.scratch = new IdentityHashMap<>(scratch);
        this.stashes = List.copyOf(stashes);
        this.arenaBytes = arenaBytes;
        this.totalBytes = totalBytes;
    }

    /**
     * A place in the arena.
     *
     * @param offset of its first byte, in round 0
     * @param length in bytes
     * @param bytesPerRound how far it moves from round to round: 0 unless the value is collected
     */
    public record Slot(long offset, long length, long bytesPerRound) {
        Slot(long offset, long length) {
            this(offset, length, 0);
        }
    }

    /**
     * What one repeat keeps of every round.
     *
     * @param repeat the name of its first carry
     * @param rounds how many rows are kept
     * @param bytesPerRound the size of one round's rows
     */
    public record Stash(String repeat, int rounds, long bytesPerRound) {}

    /**
     * {@return where a value lies} It is the same in every round, and in round 0 for a collected
     * value.
     *
     * @throws IllegalArgumentException when the value has no place: an input, a weight, a row of
     *     one, or a result nobody reads
     */
    public Slot slot(Tensor value) {
        Slot slot = slots.get(value);
        if (slot == null) {
            throw new IllegalArgumentException(
                    value + " has no slot in the plan of '" + program.name() + "'");
        }
        return slot;
    }

    /** {@return where a collected value of this round lies; for any other, where it always does} */
    public Slot slot(Tensor value, int round) {
        Slot slot = slot(value);
        return new Slot(slot.offset + round * slot.bytesPerRound, slot.length, slot.bytesPerRound);
    }

    /** {@return whether a value has a place in the arena} */
    public boolean has(Tensor value) {
        return slots.containsKey(value);
    }

    /** {@return the scratch memory of a step that states it wants some} */
    public Optional<Slot> scratch(Step.Apply step) {
        return Optional.ofNullable(scratch.get(step));
    }

    /**
     * {@return the size of the arena without what loops collect: the same for any count of rounds}
     */
    public long arenaBytes() {
        return arenaBytes;
    }

    /** {@return what each repeat keeps of every round, after the arena} */
    public List<Stash> stashes() {
        return stashes;
    }

    /** {@return the size of the arena with what loops collect: what a session allocates} */
    public long totalBytes() {
        return totalBytes;
    }

    /**
     * {@return the most bytes alive at one time, values written in place where they may be: no plan
     * can be smaller} Worked out by {@link PlanProof}, which shares nothing with the planner.
     */
    public long peakLiveBytes() {
        return new PlanProof(program, options).floorBytes();
    }

    /**
     * {@return the program this plan belongs to} Another recording of the same steps has the same
     * fingerprint, but values of its own, of which this plan knows nothing.
     */
    public Program program() {
        return program;
    }

    /** {@return the fingerprint of the program this plan belongs to} */
    public String fingerprint() {
        return program.fingerprint();
    }

    /**
     * {@return what is wrong with this plan as a plan of this program, if anything is} For tests
     * and for doubt.
     */
    public Optional<String> fault(Program other) {
        if (other != program) {
            return Optional.of(
                    "the plan belongs to '%s' (%s), not to '%s' (%s)"
                            .formatted(
                                    program.name(),
                                    fingerprint(),
                                    other.name(),
                                    other.fingerprint()));
        }
        return new PlanProof(other, options).fault(this);
    }

    /** {@return the plan laid out in time, to be drawn} */
    public PlanMap map() {
        return PlanMap.of(program, this, options);
    }

    /**
     * {@return the plan in words: sizes, the live values at the peak, the copies it adds, and what
     * passes have done}
     */
    public String explain() {
        return new PlanText(program, this, options).toString();
    }
}

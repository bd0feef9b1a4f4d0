package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.memory.Storage.Piece;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A plan laid out in time, each body once, to be drawn: what lies where from which step to which.
 *
 * @param moments what happens, step by step, in words
 * @param regions what is taken
 * @param bodies the bodies of repeats, outer ones first
 */
public record PlanMap(List<String> moments, List<Region> regions, List<Body> bodies) {
    public PlanMap {
        moments = List.copyOf(moments);
        regions = List.copyOf(regions);
        bodies = List.copyOf(bodies);
    }

    /** What a place holds. */
    public enum Kind {
        /** A value that lives within one round, or outside every loop. */
        TRANSIENT,
        /** What one round hands the next, and what is written over it to become that. */
        CARRY,
        /** Memory of one step's own. */
        SCRATCH,
        /** What the caller reads after a run. */
        OUTPUT
    }

    /**
     * A place that is taken.
     *
     * @param name of the value
     * @param offset of its first byte in the arena
     * @param length in bytes
     * @param from the first moment
     * @param to the last moment
     */
    public record Region(Kind kind, String name, long offset, long length, int from, int to) {}

    /**
     * A repeat's body.
     *
     * @param from the moment it opens
     * @param to the moment its last round ends
     */
    public record Body(int rounds, int from, int to) {}

    static PlanMap of(Program program, MemoryPlan plan, PlanOptions options) {
        Timeline timeline = new Timeline(program);
        // Not merged, so that values written in place one after the other show apart.
        Storage storage = new Storage(program, options, false);
        List<String> moments = new ArrayList<>();
        List<Body> bodies = new ArrayList<>();
        for (Timeline.Event event : timeline.events()) {
            moments.add(storage.moment(event.time()));
            boolean isOpen = event.kind() == Timeline.Event.Kind.OPEN;
            if (isOpen && event.step() instanceof Step.Repeat repeat) {
                bodies.add(new Body(repeat.rounds(), event.time(), event.block().close));
            }
        }
        Set<Tensor> carried = new HashSet<>();
        for (Piece merged : new Storage(program, options, true).pieces()) {
            if (!merged.carryOf.isEmpty()) {
                merged.members.forEach(member -> carried.add(member.tensor));
            }
        }
        List<Region> regions = new ArrayList<>();
        for (Piece piece : storage.pieces()) {
            Slot slot =
                    piece.scratchOf == null
                            ? plan.slot(piece.members.getFirst().tensor)
                            : plan.scratch(piece.scratchOf).orElseThrow();
            String name =
                    piece.scratchOf == null
                            ? piece.members.getFirst().tensor.name()
                            : "scratch of " + piece.scratchOf;
            boolean isCarried =
                    piece.members.stream().anyMatch(member -> carried.contains(member.tensor));
            piece.eachSpan((from, to) -> {
                boolean isInBody =
                        bodies.stream().anyMatch(body -> from >= body.from && from <= body.to);
                Kind kind = isCarried && isInBody ? Kind.CARRY : kind(piece);
                regions.add(new Region(kind, name, slot.offset(), slot.length(), from, to));
            });
        }
        return new PlanMap(moments, regions, bodies);
    }

    private static Kind kind(Piece piece) {
        if (piece.scratchOf != null) {
            return Kind.SCRATCH;
        }
        if (!piece.carryOf.isEmpty()) {
            return Kind.CARRY;
        }
        boolean isOutput = piece.members.stream().anyMatch(member -> member.isOutput);
        return isOutput ? Kind.OUTPUT : Kind.TRANSIENT;
    }
}

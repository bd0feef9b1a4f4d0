package io.cyclane.tensor.memory;

import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.memory.MemoryPlan.Slot;
import io.cyclane.tensor.memory.Storage.Piece;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes a plan out for people: deterministic, so that plans can be kept as files and compared. */
final class PlanText {
    /** Of the values that are written one over the other. */
    private static final int MOST_NAMES = 4;

    private final Program program;
    private final MemoryPlan plan;
    private final PlanOptions options;
    private final StringBuilder text = new StringBuilder();

    PlanText(Program program, MemoryPlan plan, PlanOptions options) {
        this.program = program;
        this.plan = plan;
        this.options = options;
        sizes();
        peak();
        copies(program.steps());
        notes();
    }

    private void sizes() {
        line("plan of '%s', %s", program.name(), program.fingerprint().substring(0, 16));
        line("arena %,d bytes, floor %,d bytes", plan.arenaBytes(), plan.peakLiveBytes());
        for (MemoryPlan.Stash stash : plan.stashes()) {
            line(
                    "repeat of '%s' keeps %d rounds of %,d bytes",
                    stash.repeat(), stash.rounds(), stash.bytesPerRound());
        }
    }

    /** The values that share the busiest moment, largest first. */
    private void peak() {
        Storage storage = new Storage(program, options, true);
        List<Piece> pieces = new ArrayList<>(storage.pieces());
        long most = -1;
        int busiest = 0;
        for (Piece piece : pieces) {
            int time = piece.from();
            long bytes =
                    pieces.stream().filter(p -> p.isTakenAt(time)).mapToLong(p -> p.bytes).sum();
            if (bytes > most) {
                most = bytes;
                busiest = time;
            }
        }
        int time = busiest;
        line("alive at the peak, %s:", storage.moment(time));
        pieces.stream()
                .filter(piece -> piece.isTakenAt(time))
                .sorted(
                        Comparator.comparingLong((Piece piece) -> -piece.bytes)
                                .thenComparingInt(Piece::from))
                .forEach(piece -> line("  %,15d  %s", piece.bytes, names(piece)));
    }

    private static String names(Piece piece) {
        if (piece.scratchOf != null) {
            return "scratch of " + piece.scratchOf;
        }
        List<String> names =
                piece.members.stream()
                        .map(member -> member.tensor.name() + " " + member.tensor.shape())
                        .distinct()
                        .toList();
        if (names.size() <= MOST_NAMES) {
            return String.join(" -> ", names);
        }
        return "%s -> %d others, each in its place -> %s"
                .formatted(names.getFirst(), names.size() - 2, names.getLast());
    }

    /** Those of layers that are alike but for their numbers count as one. */
    private void notes() {
        Map<String, List<String>> alike = new LinkedHashMap<>();
        for (String note : program.notes()) {
            alike.computeIfAbsent(note.replaceAll("\\.\\d+\\.", ".#."), _ -> new ArrayList<>())
                    .add(note);
        }
        for (List<String> notes : alike.values()) {
            String more = notes.size() == 1 ? "" : " (and %d alike)".formatted(notes.size() - 1);
            line("%s%s", notes.getFirst(), more);
        }
    }

    private void copies(List<Step> steps) {
        for (Step step : steps) {
            if (step instanceof Step.Repeat repeat) {
                for (Step.Carry carry : repeat.carries()) {
                    if (!together(carry.start(), carry.inside())) {
                        line(
                                "carry '%s' is copied once, before the first round",
                                carry.start().name());
                    }
                    if (!together(carry.end(), carry.inside())) {
                        line(
                                "carry '%s' is copied at the end of every round",
                                carry.start().name());
                    }
                }
                copies(repeat.body());
            }
        }
    }

    private boolean together(Tensor a, Tensor b) {
        if (a == b) {
            return true;
        }
        if (!plan.has(a) || !plan.has(b)) {
            return false;
        }
        Slot first = plan.slot(a);
        return first.bytesPerRound() == 0 && first.offset() == plan.slot(b).offset();
    }

    private void line(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    @Override
    public String toString() {
        return text.toString();
    }
}

package io.cyclane.tensor.program;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Joins steps of a program with steps before them, block by block, loops' bodies included. What may
 * be joined is for subclasses to say.
 */
abstract class Fusion {
    /** How often the values of the program are read, before anything is joined. */
    final Reads reads;

    private final Program program;
    private final List<String> notes;

    Fusion(Program program) {
        this.program = program;
        reads = Reads.of(program);
        notes = new ArrayList<>(program.notes());
    }

    /** {@return the program with all joined that can be} */
    final Program fused() {
        List<Step> steps = block(program.steps());
        return program.with(steps, notes);
    }

    /** Notes what was joined, for those who ask the program. */
    final void note(String first, String second) {
        notes.add("fused: " + first + ", " + second);
    }

    private List<Step> block(List<Step> steps) {
        List<Step> fused = new ArrayList<>();
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    Step.Apply joined = joined(apply, fused);
                    fused.add(joined == null ? apply : joined);
                }
                case Step.Update update -> fused.add(update);
                case Step.Repeat repeat -> fused.add(repeat.with(block(repeat.body())));
            }
        }
        return fused;
    }

    /**
     * The step joined with one before it, which is then taken out of {@code before}; or null. The
     * joined step stands where the later one stood, so an update in between, which could change
     * what the earlier one reads, forbids it.
     */
    abstract Step.@Nullable Apply joined(Step.Apply step, List<Step> before);
}

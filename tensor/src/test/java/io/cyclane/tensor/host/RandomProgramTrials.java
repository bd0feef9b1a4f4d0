package io.cyclane.tensor.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.reference.ReferenceKernelSets;
import io.cyclane.testkit.RandomData;
import io.cyclane.testkit.RandomPrograms;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Random programs, lowered for kernels that scribble over their scratch, planned and run. */
final class RandomProgramTrials {
    static final HostBackend BACKEND =
            new HostBackend(new ScribblingKernels(ReferenceKernelSets.f32()));

    private RandomProgramTrials() {}

    static Program lowered(long seed) {
        return BACKEND.lower(RandomPrograms.of(seed));
    }

    static MemoryPlan shared(Program lowered) {
        return MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT);
    }

    static MemoryPlan separate(Program lowered) {
        return MemoryPlanner.separate().plan(lowered, PlanOptions.DEFAULT);
    }

    /**
     * Runs a program twice in a row on other numbers, under both plans and without any, and fails
     * where a bit differs. Returns whether all results were finite, so that NaN could not hide.
     */
    static boolean agree(long seed) {
        Program program = lowered(seed);
        MemoryPlan shared = shared(program);
        MemoryPlan separate = separate(program);
        assertEquals(Optional.empty(), shared.fault(program), () -> "seed " + seed);
        assertEquals(Optional.empty(), separate.fault(program), () -> "seed " + seed);
        boolean isFinite = true;
        List<RandomData> runs =
                List.of(new RandomData(program, seed), new RandomData(program, seed + 1));
        Interpreter interpreter = new Interpreter(program, ReferenceKernelSets.f32());
        try (Trial planned = new Trial(BACKEND, program, shared, runs.getFirst());
                Trial unplanned = new Trial(BACKEND, program, separate, runs.getFirst())) {
            for (RandomData data : runs) {
                interpreter.run(data);
                Map<String, List<Integer>> wanted = Trial.results(interpreter, program, data);
                isFinite &= Trial.isFinite(wanted);
                unplanned.run(data);
                planned.run(data);
                assertEquals(wanted, unplanned.results(data), () -> "unplanned, " + seed + program);
                assertEquals(wanted, planned.results(data), () -> "planned, " + seed + program);
            }
        }
        return isFinite;
    }
}

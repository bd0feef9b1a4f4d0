package io.cyclane.model;

import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.Group;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.tensor.program.Step;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Works out the memory that runs of a capacity take, whole and group by group. */
final class Planning {
    private final TextModel model;
    private final Capacity capacity;
    private final Backend backend;

    private Planning(TextModel model, Capacity capacity, Backend backend) {
        this.model = model;
        this.capacity = capacity;
        this.backend = backend;
    }

    /** {@return the plan of an embedding run} No weight is loaded. */
    static PlanReport of(TextModel model, Capacity capacity) {
        if (Placement.ofSettings().isPresent()) {
            throw new BackendException(
                    "a plan is that of one backend: name cpu or gpu instead of auto or both");
        }
        try (Backend backend = Backends.open()) {
            return new Planning(model, capacity, backend).report();
        }
    }

    private PlanReport report() {
        Program lowered = backend.lower(model.embedding(capacity));
        MemoryPlan plan = plan(lowered);
        List<GroupPlan> groups = new ArrayList<>();
        for (Group group : model.encoder().stack().groups()) {
            groups.add(alone(group));
        }
        return new PlanReport(
                plan.totalBytes(),
                plan.peakLiveBytes(),
                weightBytes(lowered, _ -> true),
                model.rounds(),
                plan.explain(),
                freshBytes(lowered.steps(), plan),
                groups,
                plan.map());
    }

    private static MemoryPlan plan(Program lowered) {
        return MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT);
    }

    private long weightBytes(Program lowered, Predicate<Parameter> counted) {
        return backend.weightBytes(lowered, counted).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** A group by itself, on token vectors that are given. */
    private GroupPlan alone(Group group) {
        Recorder g = new Recorder("one group");
        RaggedBatch batch = RaggedBatch.record(g, capacity.tokens(), capacity.sequences());
        int width = model.encoder().width();
        Type vectors = Type.f32(Shape.of(batch.tokens()).append(Extent.of(width)));
        Tensor x = g.copy(g.input("x", vectors));
        Tensor y = new RecursiveStack(List.of(group)).forward(g, x, batch);
        Program lowered = backend.lower(g.output("y", y).program());
        MemoryPlan plan = plan(lowered);
        List<Step.Repeat> repeats =
                lowered.steps().stream()
                        .filter(Step.Repeat.class::isInstance)
                        .map(Step.Repeat.class::cast)
                        .toList();
        Set<Parameter> own = ownOfRounds(lowered, repeats);
        // Held as rows, tables would be shared by any layers.
        Predicate<Parameter> isTable = p -> !model.encoder().isLearnt(p);
        long weights = weightBytes(lowered, _ -> true);
        long shared = weightBytes(lowered, p -> !isTable.test(p) && !own.contains(p));
        return new GroupPlan(
                group.rounds(),
                group.stretches().size(),
                plan.arenaBytes(),
                plan.peakLiveBytes(),
                // One after the other, so that the carry of one may lie where another's did.
                repeats.stream().mapToLong(Planning::carryBytes).max().orElse(0),
                weights,
                weightBytes(lowered, isTable),
                weights + (group.rounds() - 1) * shared,
                freshBytes(repeats, plan));
    }

    private static long carryBytes(Step.Repeat repeat) {
        return repeat.carries().stream()
                .mapToLong(carry -> carry.inside().type().lengthBytes())
                .sum();
    }

    /** The weights of which each round reads a row of its own. */
    private static Set<Parameter> ownOfRounds(Program lowered, List<Step.Repeat> repeats) {
        Set<Parameter> own = new HashSet<>();
        for (Step.Repeat repeat : repeats) {
            for (Step.Row row : repeat.rows()) {
                Parameter stacked = lowered.parameters().get(row.stacked());
                if (stacked != null) {
                    own.add(stacked);
                }
            }
        }
        return own;
    }

    /**
     * Every value in a buffer of its own, in each round; what no plan gives a place is left out.
     */
    private static long freshBytes(List<? extends Step> steps, MemoryPlan plan) {
        long bytes = 0;
        for (Step step : steps) {
            switch (step) {
                case Step.Apply apply -> {
                    for (Tensor result : apply.results()) {
                        bytes += plan.has(result) ? result.type().lengthBytes() : 0;
                    }
                    bytes += apply.scratchBytes();
                }
                case Step.Update _ -> {}
                case Step.Repeat repeat ->
                        bytes += repeat.rounds() * freshBytes(repeat.body(), plan);
            }
        }
        return bytes;
    }
}

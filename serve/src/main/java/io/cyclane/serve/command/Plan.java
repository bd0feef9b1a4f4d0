package io.cyclane.serve.command;

import io.cyclane.model.Capacity;
import io.cyclane.model.PlanReport;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Prints the memory that a run of a capacity takes, before anything is run. */
@Command(
        name = "plan",
        description = "Print the memory that a run of a capacity takes.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Plan implements Callable<Integer> {
    private final Cyclane cyclane;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            required = true,
            description = "the most tokens in a run, all its texts together")
    private int tokens;

    @Option(
            names = "--sequences",
            paramLabel = "S",
            required = true,
            description = "the most texts in a run")
    private int sequences;

    @Option(
            names = "--json",
            description =
                    "print sizes only, as one object, instead of the values alive at the peak")
    private boolean json;

    Plan(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        if (tokens < 1 || sequences < 1 || sequences > tokens) {
            throw new ParameterException(
                    spec.commandLine(),
                    "1 <= sequences <= tokens was wanted, not --tokens "
                            + tokens
                            + " --sequences "
                            + sequences);
        }
        PlanReport plan = model.plan(cyclane.models(), new Capacity(tokens, sequences));
        if (json) {
            Json.line(
                    cyclane.out(),
                    line -> {
                        line.writeNumberProperty("arena_bytes", plan.arenaBytes());
                        line.writeNumberProperty("lower_bound_bytes", plan.lowerBoundBytes());
                        line.writeNumberProperty(
                                "resident_weight_bytes", plan.residentWeightBytes());
                        line.writeNumberProperty("rounds", plan.rounds());
                    });
        } else {
            cyclane.out().append(plan.explanation().stripTrailing()).append('\n');
        }
        cyclane.flush();
        return 0;
    }
}

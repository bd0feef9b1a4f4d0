package io.cyclane.serve.command;

import io.cyclane.model.Capacity;
import io.cyclane.model.GroupPlan;
import io.cyclane.model.PlanReport;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.core.JsonGenerator;

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

    @Option(
            names = "--png",
            paramLabel = "FILE",
            description = "draw it: what lies where in the arena, step by step")
    private @Nullable Path png;

    @Mixin private Replacing replacing;

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
        Path picture = png == null ? null : replacing.file(png);
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
                        line.writeNumberProperty("fresh_bytes", plan.freshBytes());
                        line.writeNumberProperty(
                                "unrolled_weight_bytes", plan.unrolledWeightBytes());
                        line.writeArrayPropertyStart("groups");
                        plan.groups().forEach(group -> write(line, group));
                        line.writeEndArray();
                    });
        } else {
            cyclane.out().append(plan.explanation().stripTrailing()).append('\n');
            print(plan);
        }
        if (picture != null) {
            PlanPicture.write(plan, picture);
        }
        cyclane.flush();
        return 0;
    }

    private static void write(JsonGenerator line, GroupPlan group) {
        line.writeStartObject();
        line.writeNumberProperty("rounds", group.rounds());
        line.writeNumberProperty("arena_bytes", group.arenaBytes());
        line.writeNumberProperty("lower_bound_bytes", group.floorBytes());
        line.writeNumberProperty("carry_bytes", group.carryBytes());
        line.writeNumberProperty("weight_bytes", group.weightBytes());
        line.writeNumberProperty("unrolled_weight_bytes", group.unrolledWeightBytes());
        line.writeNumberProperty("fresh_bytes", group.freshBytes());
        line.writeEndObject();
    }

    /** A row for each group by itself, and one for the whole. */
    private void print(PlanReport plan) {
        row("group", "rounds", "arena", "of it carry", "weights", "if unrolled", "fresh buffers");
        int number = 0;
        for (GroupPlan group : plan.groups()) {
            row(
                    Integer.toString(++number),
                    Integer.toString(group.rounds()),
                    bytes(group.arenaBytes()),
                    bytes(group.carryBytes()),
                    bytes(group.weightBytes()),
                    bytes(group.unrolledWeightBytes()),
                    bytes(group.freshBytes()));
        }
        row(
                "all",
                "",
                bytes(plan.arenaBytes()),
                "",
                bytes(plan.residentWeightBytes()),
                bytes(plan.unrolledWeightBytes()),
                bytes(plan.freshBytes()));
    }

    private static String bytes(long bytes) {
        return String.format(Locale.ROOT, "%,d", bytes);
    }

    private void row(Object... cells) {
        cyclane.out()
                .append(String.format(Locale.ROOT, "%-5s %6s %14s %14s %14s %14s %16s\n", cells));
    }
}

package io.cyclane.tensor.host;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.program.Program;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** A backend whose kernels read and write host memory. */
public final class HostBackend implements Backend {
    private final KernelSet kernels;

    /** A backend with these kernels, which it closes. */
    public HostBackend(KernelSet kernels) {
        this.kernels = kernels;
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public String description() {
        return kernels.description();
    }

    @Override
    public boolean isWarm() {
        return kernels.isWarm();
    }

    @Override
    public Program lower(Program program) {
        return Lowering.lower(program, kernels);
    }

    @Override
    public Weights weights(WeightSource source) {
        return new HostWeights(source);
    }

    @Override
    public Map<String, Long> weightBytes(Program lowered, Predicate<Parameter> counted) {
        return PackingWalk.bytesByLayout(lowered, kernels, counted);
    }

    @Override
    public State state(Collection<Variable> variables) {
        return new HostState(variables);
    }

    @Override
    public Executable compile(Program lowered, MemoryPlan plan, Weights weights) {
        if (plan.program() != lowered) {
            throw strange(plan, lowered);
        }
        if (!(weights instanceof HostWeights own)) {
            throw new BackendException(
                    "the weights belong to another backend than '" + name() + "'");
        }
        own.packAll(visitor -> PackingWalk.of(lowered, kernels, visitor));
        return new HostExecutable(lowered, plan, own, kernels);
    }

    private static BackendException strange(MemoryPlan plan, Program lowered) {
        return new BackendException(
                plan.fingerprint().equals(lowered.fingerprint())
                        ? "the plan was made for another recording or lowering of '%s': plan the very program that is compiled"
                                .formatted(lowered.name())
                        : "the plan belongs to another program (%s) than '%s' (%s): plan the lowered program"
                                .formatted(
                                        plan.fingerprint(), lowered.name(), lowered.fingerprint()));
    }

    @Override
    public Session open(List<Executable> executables, State state) {
        return new HostSession(executables.stream().map(this::own).toList(), state);
    }

    private HostExecutable own(Executable executable) {
        if (executable instanceof HostExecutable own && own.kernels() == kernels) {
            return own;
        }
        throw new BackendException(
                "an executable of '%s' was not compiled by backend '%s'"
                        .formatted(executable.program().name(), name()));
    }

    @Override
    public void close() {
        kernels.close();
    }
}

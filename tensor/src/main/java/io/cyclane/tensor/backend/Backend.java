package io.cyclane.tensor.backend;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Runs programs on one kind of processor. Four kinds of thing live on it, each with an owner of its
 * own: {@link Weights} own parameters and their packed forms, {@link State} owns what outlives a
 * run, a {@link Session} owns one arena, and an {@link Executable} owns no bytes at all.
 *
 * <p>Thread-safe. Close what was made on a backend before the backend.
 */
public interface Backend extends AutoCloseable {
    /** {@return the name users write} */
    String name();

    /** {@return what is run on, in one phrase: processor, width, threads} */
    String description();

    /**
     * {@return the program as this backend runs it} Operations without a kernel are replaced by
     * what they stand for, some are fused, and each step states its scratch; the notes say so.
     *
     * @throws BackendException when an operation has neither kernel nor expansion
     */
    Program lower(Program program);

    /**
     * {@return an empty store for the weights of one model, which reads from {@code source} as
     * executables ask}
     */
    Weights weights(WeightSource source);

    /**
     * {@return the bytes a lowered program's weights will take once packed, by layout} Nothing is
     * read or allocated.
     */
    default Map<String, Long> weightBytes(Program lowered) {
        return weightBytes(lowered, _ -> true);
    }

    /** {@return the same for some of its weights alone} */
    Map<String, Long> weightBytes(Program lowered, Predicate<Parameter> counted);

    /**
     * {@return memory for these variables, all zero} They are those of lowered programs: a backend
     * may hold a variable in another type than it was recorded with.
     */
    State state(Collection<Variable> variables);

    /**
     * {@return the program ready to run} All its weights are packed when this returns.
     *
     * @param lowered what {@link #lower} gave
     * @param plan the lowered program's own plan
     * @throws BackendException when the plan is another program's
     */
    Executable compile(Program lowered, MemoryPlan plan, Weights weights);

    /**
     * {@return whether its kernels are as fast as they will be} Right after a session was opened a
     * backend may still wait for the JVM to compile them; results are the same before and after.
     */
    default boolean isWarm() {
        return true;
    }

    /**
     * {@return what the backend's device is measured to do at most, where it has a device of its
     * own} Takes about a second, alone on the device.
     */
    default Optional<DeviceRates> measure() {
        return Optional.empty();
    }

    /** {@return the program lowered, planned and ready to run} */
    default Executable compile(Program program, Weights weights) {
        Program lowered = lower(program);
        return compile(lowered, MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT), weights);
    }

    /**
     * {@return a session that runs any of these executables, in one arena as large as the largest
     * needs}
     *
     * @param state holds every variable that the executables name
     */
    Session open(List<Executable> executables, State state);

    /** {@return a session for executables without variables} */
    default Session open(Executable... executables) {
        return open(List.of(executables), state(List.of()));
    }

    @Override
    void close();
}

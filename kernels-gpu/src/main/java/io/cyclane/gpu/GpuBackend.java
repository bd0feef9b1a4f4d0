package io.cyclane.gpu;

import io.cyclane.gpu.driver.DeviceTraits;
import io.cyclane.gpu.driver.Driver;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Variable;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.DeviceRates;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.Settings;
import io.cyclane.tensor.backend.State;
import io.cyclane.tensor.backend.WeightSource;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.host.Lowering;
import io.cyclane.tensor.host.PackingWalk;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * The GPU backend: programs as launches on one device. Its memory is the device's, or at most what
 * the setting {@code cyclane.gpuMegabytes} gives (2^20 bytes each); values are stored and
 * multiplied in what {@code cyclane.gpuPrecision} names, f32, tf32 or bf16.
 */
final class GpuBackend implements Backend {
    /** Well above a device's caches. */
    private static final long MEASURED_BYTES = 512L << 20;

    private static final double MEASURED_SECONDS = 5e-3;

    private final GpuKernels kernels;
    private final Precision precision;
    private final Gpu gpu;

    private GpuBackend(Gpu gpu, Precision precision) {
        this.precision = precision;
        this.kernels = new GpuKernels(precision);
        this.gpu = gpu;
    }

    /**
     * {@return the backend on a driver's first device, within the memory that the settings give}
     */
    static Backend open(Driver driver) {
        return open(
                driver,
                Settings.number("gpuMegabytes", 1)
                        .map(megabytes -> OptionalLong.of(megabytes * (1L << 20)))
                        .orElse(OptionalLong.empty()),
                Precision.ofSettings());
    }

    /** {@return the backend on a driver's first device, within so many bytes of its memory} */
    static Backend open(Driver driver, OptionalLong budgetBytes, Precision precision) {
        return new GpuBackend(new Gpu(driver.open(), budgetBytes), precision);
    }

    @Override
    public String name() {
        return kernels.name();
    }

    @Override
    public String description() {
        DeviceTraits traits = gpu.device().traits();
        return "gpu, %s, %d GiB, compute %d.%d, %s"
                .formatted(
                        traits.name(),
                        traits.memoryBytes() >> 30,
                        traits.computeMajor(),
                        traits.computeMinor(),
                        precision);
    }

    @Override
    public Optional<DeviceRates> measure() {
        long bytes = Math.min(MEASURED_BYTES, gpu.leftBytes() / 4);
        return Optional.of(Probe.measure(gpu, bytes, MEASURED_SECONDS));
    }

    @Override
    public Program lower(Program program) {
        return Lowering.lower(program, kernels);
    }

    @Override
    public Weights weights(WeightSource source) {
        return new GpuWeights(gpu, source);
    }

    @Override
    public Map<String, Long> weightBytes(Program lowered, Predicate<Parameter> counted) {
        return PackingWalk.bytesByLayout(lowered, kernels, counted);
    }

    @Override
    public State state(Collection<Variable> variables) {
        return new GpuState(gpu, variables);
    }

    @Override
    public Executable compile(Program lowered, MemoryPlan plan, Weights weights) {
        if (plan.program() != lowered) {
            throw new BackendException(
                    "the plan was made for another program, recording or lowering than this '%s': plan the very program that is compiled"
                            .formatted(lowered.name()));
        }
        if (!(weights instanceof GpuWeights own) || own.gpu() != gpu) {
            throw new BackendException(
                    "the weights belong to another backend than '" + name() + "'");
        }
        own.packAll(
                visitor -> PackingWalk.of(lowered, kernels, visitor),
                weightBytes -> requireFit(lowered, plan, weightBytes));
        return new GpuExecutable(lowered, plan, own, kernels, gpu);
    }

    /** Refuses a program before anything is allocated for it, in the planner's words. */
    private void requireFit(Program lowered, MemoryPlan plan, long weightBytes) {
        long left = gpu.leftBytes();
        if (weightBytes > left) {
            throw new BackendException(
                    "the weights of '%s' take %,d bytes of the device's memory and %,d are left"
                            .formatted(lowered.name(), weightBytes, left));
        }
        if (plan.totalBytes() > left - weightBytes) {
            // This says which values are alive at the peak.
            MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT.within(left - weightBytes));
            throw new BackendException(
                    "the plan of '%s' takes %,d bytes of the device's memory and %,d are left: plan it with MemoryPlanner.shared()"
                            .formatted(lowered.name(), plan.totalBytes(), left - weightBytes));
        }
    }

    @Override
    public Session open(List<Executable> executables, State state) {
        if (!(state instanceof GpuState own)) {
            throw new BackendException(
                    "the state belongs to another backend than '" + name() + "'");
        }
        return new GpuSession(gpu, executables.stream().map(this::own).toList(), own);
    }

    private GpuExecutable own(Executable executable) {
        if (executable instanceof GpuExecutable own && own.gpu() == gpu) {
            return own;
        }
        throw new BackendException(
                "an executable of '%s' was not compiled by this backend '%s'"
                        .formatted(executable.program().name(), name()));
    }

    @Override
    public void close() {
        gpu.close();
    }
}

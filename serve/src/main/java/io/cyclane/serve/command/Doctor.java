package io.cyclane.serve.command;

import io.cyclane.model.LoadedModel;
import io.cyclane.model.Placement;
import io.cyclane.model.Task;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.DeviceRates;
import io.cyclane.tensor.backend.Settings;
import io.cyclane.tensor.memory.HugePages;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Tells what this machine and this JVM offer, and whether the kernels run as fast as they should.
 */
@Command(
        name = "doctor",
        description = "Print what the machine offers, and whether the kernels make use of it.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Doctor implements Callable<Integer> {
    /**
     * Below it the kernels are no better than what C2 makes of a plain loop: something is wrong.
     */
    private static final double LEAST_GAIN = 2;

    private final Cyclane cyclane;

    @Mixin private ModelOptions options;

    @Option(names = "--json", description = "print one object instead of a line a property")
    private boolean json;

    Doctor(Cyclane cyclane) {
        this.cyclane = cyclane;
    }

    @Override
    public Integer call() {
        options.set();
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("jdk", System.getProperty("java.vm.name") + " " + Runtime.version());
        found.put(
                "flags",
                String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
        Machine machine = Machine.read();
        found.put("processor", machine.processor());
        found.put("instruction sets", machine.instructionSets());
        found.put("processors", Runtime.getRuntime().availableProcessors());
        ProcessorShare.ofThisProcess()
                .ifPresent(share ->
                        found.put(
                                "processor share",
                                "at most %s processors: the container's limit"
                                        .formatted(rounded(share))));
        found.put("memory bytes", machine.memoryBytes());
        found.put("heap bytes at most", Runtime.getRuntime().maxMemory());
        found.put("huge pages", HugePages.status());
        Optional<String> fault = backends(found).or(() -> trials(found));
        found.put("verdict", fault.orElse("ready"));
        print(found);
        return fault.isEmpty() ? 0 : 1;
    }

    /** {@return why no backend can run, or not the one that was asked for} */
    private static Optional<String> backends(Map<String, Object> found) {
        boolean one = false;
        Optional<String> fault = Optional.empty();
        List<String> asked = asked();
        for (BackendProvider provider : Backends.providers()) {
            Optional<String> obstacle = provider.obstacle();
            found.put(
                    "backend " + provider.name(),
                    obstacle.map(why -> "can not run: " + why).orElse("can run"));
            one |= obstacle.isEmpty() && provider.rank() >= 0;
            if (obstacle.isPresent() && asked.contains(provider.name())) {
                fault = Optional.of("backend '" + provider.name() + "' can not run: see above");
            }
        }
        return one ? fault : Optional.of("no backend can run: see above");
    }

    /** {@return the backends that are named, if any is} */
    private static List<String> asked() {
        return Placement.ofSettings()
                .map(_ -> List.of("cpu", "gpu"))
                .or(() -> Settings.text("backend").map(List::of))
                .orElse(List.of());
    }

    /** {@return what is wrong with the speed of the backends that would be used} */
    private Optional<String> trials(Map<String, Object> found) {
        List<String> asked = asked();
        if (asked.size() < 2) {
            try (Backend backend = Backends.open()) {
                found.put("chosen", backend.description());
                return trial(backend, found);
            }
        }
        Optional<String> fault = Optional.empty();
        for (String name : asked) {
            try (Backend backend = Backends.open(name)) {
                found.put("chosen " + name, backend.description());
                fault = fault.or(() -> trial(backend, found));
            }
        }
        if (fault.isEmpty()) {
            try (LoadedModel model = options.loader().open(Task.EMBEDDING)) {
                found.put("batches run", model.info().backend());
            }
        }
        return fault;
    }

    private static Optional<String> trial(Backend backend, Map<String, Object> found) {
        Optional<DeviceRates> rates = backend.measure();
        if (rates.isPresent()) {
            DeviceRates device = rates.get();
            found.put("device copy GB/s", rounded(device.copyBytes() * 1e-9));
            found.put("upload GB/s", rounded(device.uploadBytes() * 1e-9));
            found.put("download GB/s", rounded(device.downloadBytes() * 1e-9));
            found.put("device f32 TFLOP/s", rounded(device.vectorFlops() * 1e-12));
            found.put("device bf16 TFLOP/s", rounded(device.matrixFlops() * 1e-12));
            return Optional.empty();
        }
        KernelTrial.Seen seen = KernelTrial.of(backend);
        found.put("kernel GFLOP/s", rounded(seen.kernelGflops()));
        found.put("scalar loop GFLOP/s", rounded(seen.loopGflops()));
        double gain = seen.kernelGflops() / seen.loopGflops();
        found.put("kernel over scalar loop", rounded(gain));
        return gain >= LEAST_GAIN
                ? Optional.empty()
                : Optional.of(
                        "the kernels gain less than %s over a scalar loop: is the machine busy, or C2 switched off?"
                                .formatted(LEAST_GAIN));
    }

    private static double rounded(double value) {
        return Math.round(value * 100) / 100.0;
    }

    private void print(Map<String, Object> found) {
        if (json) {
            Json.line(
                    cyclane.out(),
                    line ->
                            found.forEach((name, value) -> {
                                String key = name.replaceAll("[ /]", "_");
                                if (value instanceof Integer || value instanceof Long) {
                                    line.writeNumberProperty(key, ((Number) value).longValue());
                                } else if (value instanceof Double number) {
                                    line.writeNumberProperty(key, number);
                                } else {
                                    line.writeStringProperty(key, value.toString());
                                }
                            }));
        } else {
            for (Map.Entry<String, Object> entry : found.entrySet()) {
                boolean isCount = entry.getValue() instanceof Long;
                String format = isCount ? "%-24s%,d\n" : "%-24s%s\n";
                cyclane.out()
                        .append(
                                String.format(
                                        Locale.ROOT, format, entry.getKey(), entry.getValue()));
            }
        }
        cyclane.flush();
    }

    /** What the system says about itself; Linux says most. */
    private record Machine(String processor, String instructionSets, long memoryBytes) {
        private static final List<String> WATCHED =
                List.of(
                        "avx2",
                        "fma",
                        "avx512f",
                        "avx_vnni",
                        "avx512_vnni",
                        "avx512_bf16",
                        "amx_tile",
                        "amx_int8",
                        "amx_bf16",
                        "asimd",
                        "asimddp",
                        "sve",
                        "bf16",
                        "i8mm");

        static Machine read() {
            Optional<String> flags =
                    SystemFiles.field("/proc/cpuinfo", "flags")
                            .or(() -> SystemFiles.field("/proc/cpuinfo", "Features"));
            return new Machine(
                    SystemFiles.field("/proc/cpuinfo", "model name")
                            .orElse(System.getProperty("os.arch")),
                    flags.map(Machine::watched).orElse("unknown on this system"),
                    ((com.sun.management.OperatingSystemMXBean)
                                    ManagementFactory.getOperatingSystemMXBean())
                            .getTotalMemorySize());
        }

        private static String watched(String flags) {
            List<String> present = List.of(flags.split(" "));
            return String.join(" ", WATCHED.stream().filter(present::contains).toList());
        }
    }
}

package io.cyclane.serve.command;

import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.tensor.backend.Backends;
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
        machine.share().ifPresent(share -> found.put("processor share", share));
        found.put("memory bytes", machine.memoryBytes());
        found.put("heap bytes at most", Runtime.getRuntime().maxMemory());
        found.put("huge pages", HugePages.status());
        boolean healthy = backends(found) && kernels(found);
        print(found);
        return healthy ? 0 : 1;
    }

    /** {@return whether the backend that would be chosen can run} */
    private static boolean backends(Map<String, Object> found) {
        boolean one = false;
        for (BackendProvider provider : Backends.providers()) {
            Optional<String> obstacle = provider.obstacle();
            found.put(
                    "backend " + provider.name(),
                    obstacle.map(why -> "can not run: " + why).orElse("can run"));
            one |= obstacle.isEmpty() && provider.rank() >= 0;
        }
        if (!one) {
            found.put("verdict", "no backend can run: see above");
        }
        return one;
    }

    private static boolean kernels(Map<String, Object> found) {
        try (Backend backend = Backends.open()) {
            found.put("chosen", backend.description());
            KernelTrial.Seen seen = KernelTrial.of(backend);
            found.put("kernel GFLOP/s", rounded(seen.kernelGflops()));
            found.put("scalar loop GFLOP/s", rounded(seen.loopGflops()));
            double gain = seen.kernelGflops() / seen.loopGflops();
            found.put("kernel over scalar loop", rounded(gain));
            boolean fast = gain >= LEAST_GAIN;
            found.put(
                    "verdict",
                    fast
                            ? "ready"
                            : "the kernels gain less than %s over a scalar loop: is the machine busy, or C2 switched off?"
                                    .formatted(LEAST_GAIN));
            return fast;
        }
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
    private record Machine(
            String processor, String instructionSets, Optional<String> share, long memoryBytes) {
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
                    SystemFiles.line("/sys/fs/cgroup/cpu.max")
                            .filter(max -> !max.startsWith("max"))
                            .map(Machine::share),
                    ((com.sun.management.OperatingSystemMXBean)
                                    ManagementFactory.getOperatingSystemMXBean())
                            .getTotalMemorySize());
        }

        private static String watched(String flags) {
            List<String> present = List.of(flags.split(" "));
            return String.join(" ", WATCHED.stream().filter(present::contains).toList());
        }

        /** From microseconds a period may use, and the period. */
        private static String share(String max) {
            String[] words = max.split(" ");
            double processors = Double.parseDouble(words[0]) / Double.parseDouble(words[1]);
            return "at most " + rounded(processors) + " processors: the container's limit";
        }
    }
}

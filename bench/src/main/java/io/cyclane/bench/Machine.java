package io.cyclane.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What a figure was measured on, as far as it matters for one. */
public final class Machine {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    /** Instruction sets that the peers' kernels or ours may use. */
    private static final List<String> WATCHED =
            List.of(
                    "avx2",
                    "fma",
                    "avx512f",
                    "avx_vnni",
                    "avx512_vnni",
                    "avx512_bf16",
                    "avx512_fp16",
                    "amx_tile",
                    "amx_int8",
                    "amx_bf16",
                    "asimd",
                    "asimddp",
                    "sve",
                    "bf16",
                    "i8mm");

    private Machine() {}

    /** {@return processor, instruction sets, JDK and how busy it is, in one line} */
    public static String describe() {
        return "%s, %d processors, %s, JDK %s, load %s"
                .formatted(
                        cpuInfo("model name").orElse(System.getProperty("os.arch")),
                        Runtime.getRuntime().availableProcessors(),
                        instructionSets(),
                        Runtime.version(),
                        load());
    }

    private static String instructionSets() {
        Optional<String> flags = cpuInfo("flags").or(() -> cpuInfo("Features"));
        if (flags.isEmpty()) {
            return "instruction sets unknown";
        }
        Set<String> present = new HashSet<>(Arrays.asList(flags.get().split(" ")));
        List<String> listed = new ArrayList<>(WATCHED);
        listed.retainAll(present);
        return String.join(" ", listed);
    }

    private static String load() {
        try {
            return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static Optional<String> cpuInfo(String key) {
        try {
            return Files.readAllLines(CPUINFO).stream()
                    .filter(line -> line.startsWith(key) && line.contains(":"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty(); // not Linux: the line then says so
        }
    }

    /**
     * {@return a field of {@code /proc/self/status} in bytes: {@code VmRSS} is the memory in use,
     * {@code VmHWM} its peak}
     *
     * @throws BenchException when this is no Linux
     */
    public static long statusBytes(String field) {
        try {
            String line =
                    Files.readAllLines(Path.of("/proc/self/status")).stream()
                            .filter(l -> l.startsWith(field + ":"))
                            .findFirst()
                            .orElseThrow(() -> new BenchException("no " + field + " in /proc"));
            return 1024 * Long.parseLong(line.replaceAll("\\D+", ""));
        } catch (IOException e) {
            throw new BenchException(
                    "resident memory is read from /proc, which Linux has: " + e, e);
        }
    }
}

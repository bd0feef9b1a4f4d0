package io.cyclane.serve.command;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How many processors a container may use at most, in Linux's control groups: those of this process
 * and the ones around it, of version 2 ({@code cpu.max}) or 1 ({@code cpu.cfs_quota_us}).
 */
final class ProcessorShare {
    private ProcessorShare() {}

    /** {@return the least of all limits, in processors; empty where there is none} */
    static OptionalDouble ofThisProcess() {
        return of(Path.of("/sys/fs/cgroup"), SystemFiles.lines("/proc/self/cgroup"));
    }

    /**
     * {@return the least of all limits}
     *
     * @param root where control groups are mounted
     * @param groups the process's own, a line each: number, controllers, path
     */
    static OptionalDouble of(Path root, List<String> groups) {
        double least = Double.POSITIVE_INFINITY;
        for (String line : groups) {
            String[] parts = line.split(":", 3);
            boolean isSecond = parts.length == 3 && parts[1].isEmpty();
            if (isSecond || parts.length == 3 && List.of(parts[1].split(",")).contains("cpu")) {
                Path base = isSecond ? root : root.resolve("cpu");
                // A container may see its own group as the root, whatever path it is told.
                Path group = base.resolve(parts[2].substring(1));
                for (; group != null && group.startsWith(base); group = group.getParent()) {
                    least = Math.min(least, limit(group));
                }
            }
        }
        return least == Double.POSITIVE_INFINITY
                ? OptionalDouble.empty()
                : OptionalDouble.of(least);
    }

    /** Microseconds that a period may use over the period's; {@code max} or -1 is no limit. */
    private static double limit(Path group) {
        String text =
                first(group.resolve("cpu.max"))
                        + first(group.resolve("cpu.cfs_quota_us"))
                        + " "
                        + first(group.resolve("cpu.cfs_period_us"));
        return text.strip().matches("\\d+ \\d+")
                ? Double.parseDouble(text.strip().split(" ")[0])
                        / Double.parseDouble(text.strip().split(" ")[1])
                : Double.POSITIVE_INFINITY;
    }

    private static String first(Path file) {
        return SystemFiles.line(file.toString()).orElse("").strip();
    }
}

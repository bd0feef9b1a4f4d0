package io.cyclane.model;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Runs {@link Forked} in a JVM of its own, with flags of its own. */
final class Fork {
    static final String VECTORS = "--add-modules=jdk.incubator.vector";
    static final String AGRONA = "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED";

    private static final long MOST_SECONDS = 240;

    /** What a JVM printed and how it ended. */
    record Result(int exit, List<String> out, String errors) {
        /** {@return the rest of the one line that begins so} */
        String line(String start) {
            List<String> found = out.stream().filter(line -> line.startsWith(start)).toList();
            if (found.size() != 1) {
                throw new AssertionError("no one line '" + start + "' in " + this);
            }
            return found.getFirst().substring(start.length());
        }
    }

    private final List<String> flags = new ArrayList<>();
    private String classPath = System.getProperty("java.class.path");

    Fork(String... flags) {
        this.flags.addAll(List.of(flags));
    }

    /** Takes the kernels off the class path. */
    Fork withoutKernels() throws ClassNotFoundException, URISyntaxException {
        Path kernels =
                Path.of(
                        Class.forName("io.cyclane.cpu.CpuProvider")
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        String all = classPath;
        classPath =
                Arrays.stream(all.split(File.pathSeparator))
                        .filter(entry -> !Path.of(entry).toAbsolutePath().equals(kernels))
                        .collect(Collectors.joining(File.pathSeparator));
        if (classPath.equals(all)) {
            throw new AssertionError(kernels + " is not on " + all);
        }
        return this;
    }

    /** Runs the main class with these arguments to its end. */
    Result run(Object... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.add("-cp");
        command.add(classPath);
        command.add(Forked.class.getName());
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        Path out = Files.createTempFile("forked", ".out");
        Path errors = Files.createTempFile("forked", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().keySet().removeIf(name -> name.startsWith("CYCLANE_"));
            builder.environment()
                    .keySet()
                    .removeAll(List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
            Process process =
                    builder.redirectOutput(out.toFile()).redirectError(errors.toFile()).start();
            if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("still running after " + MOST_SECONDS + " s: " + command);
            }
            return new Result(
                    process.exitValue(), Files.readAllLines(out), Files.readString(errors));
        } finally {
            Files.delete(out);
            Files.delete(errors);
        }
    }
}

package io.cyclane.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process of its own for a measurement: a fresh JVM with the project's flags, a script. */
public final class ChildJvm {
    private ChildJvm() {}

    /** {@return the flags the launcher starts java with} */
    public static List<String> launcherFlags() {
        return List.of(
                "@" + Home.path().resolve("conf/java.args"),
                "@" + Home.path().resolve("conf/small.args"));
    }

    /** {@return the command that starts a JVM as the launcher does, on this one's class path} */
    public static List<String> command(List<String> flags) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(launcherFlags());
        command.add("-Dcyclane.home=" + Home.path());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return command;
    }

    /**
     * Runs this program with other arguments, in a JVM of its own.
     *
     * @param flags for the JVM
     * @return the lines of its standard output
     * @throws BenchException when it does not end with 0; what it said is on standard error
     */
    public static List<String> run(List<String> flags, List<String> arguments) {
        List<String> command = command(flags);
        command.add(Main.class.getName());
        command.addAll(arguments);
        return lines(new ProcessBuilder(command));
    }

    /** {@return the lines that a process prints} Its standard error goes to ours. */
    public static List<String> lines(ProcessBuilder builder) {
        builder.redirectError(Redirect.INHERIT);
        String name = String.join(" ", builder.command());
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            try (BufferedReader reader =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.UTF_8))) {
                List<String> lines = reader.lines().toList();
                int exitCode = process.waitFor();
                if (exitCode != 0) {
                    throw new BenchException("'%s' ended with %d".formatted(name, exitCode));
                }
                return lines;
            } finally {
                process.destroy();
            }
        } catch (IOException e) {
            throw new BenchException("'" + name + "' can not run: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchException("interrupted while '" + name + "' ran", e);
        }
    }
}

package io.cyclane.serve;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One run of a JVM of its own, with what it said. */
record JavaRun(int exitCode, String out, String err) {
    /**
     * Runs it to its end.
     *
     * @param folder where its output is put meanwhile
     * @param arguments of java
     */
    static JavaRun of(Path folder, List<String> arguments)
            throws IOException, InterruptedException {
        Process process = start(folder, arguments);
        Path err = folder.resolve("err");
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(arguments + " did not end: " + Files.readString(err));
        }
        return new JavaRun(
                process.exitValue(),
                Files.readString(folder.resolve("out")),
                Files.readString(err));
    }

    /** Starts it, its output going to the files {@code out} and {@code err} of a folder. */
    static Process start(Path folder, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }
}

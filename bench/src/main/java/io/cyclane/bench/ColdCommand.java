package io.cyclane.bench;

import io.cyclane.bench.encoder.Subject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How long the first answer takes.
 *
 * <ul>
 *   <li>{@code cold/embed}: the whole process {@code bin/cyclane embed hello}, as a user starts it,
 *       with the launcher's archive of loaded classes;
 *   <li>{@code cold/first}: the same where MiniLM has yet to be unpacked from its jar;
 *   <li>{@code cold/java}: as the first without the script, no archive and no ahead-of-time cache;
 *   <li>{@code cold/java-aot}: the same with a cache that was made here by a run before;
 *   <li>{@code cold/load}: from {@code Encoder.load} to the first vector of 4 tokens in a JVM that
 *       runs already, of MiniLM on one thread, of other models on as many as they take by default;
 *   <li>{@code cold/1x16}: from the first call of a text of 16 tokens until 90% of the final speed.
 * </ul>
 *
 * <p>The processes take turns. The model is unpacked and the files are in the page cache: one round
 * before is not counted.
 */
@Command(
        name = "cold",
        mixinStandardHelpOptions = true,
        description = "seconds from the start of a process to its first vector, and to full speed",
        sortOptions = false)
final class ColdCommand implements Runnable {
    private static final String MINILM = "minilm";

    private final Main main;

    @Option(
            names = "--model",
            defaultValue = MINILM,
            description =
                    "minilm, random weights of a shape as encoder has them, or a model's folder;"
                            + " but for minilm, speed afterwards is not measured (default:"
                            + " ${DEFAULT-VALUE})")
    private String model = MINILM;

    @Option(
            names = "--runs",
            defaultValue = "7",
            description = "of each process (default: ${DEFAULT-VALUE})")
    private int runs;

    @Option(
            names = "--seconds",
            defaultValue = "30",
            description = "of calls until the speed counts as final (default: ${DEFAULT-VALUE})")
    private double seconds;

    ColdCommand(Main main) {
        this.main = main;
    }

    private record Start(String name, List<String> command) {}

    @Override
    public void run() {
        if (runs < 1 || !(seconds >= 1)) {
            throw new BenchException(
                    "at least 1 run and 1 second, not %d and %s".formatted(runs, seconds));
        }
        Figures figures = main.figures();
        Subject.useModel(model, opened -> measure(figures, opened));
    }

    private void measure(Figures figures, String opened) {
        List<String> arguments =
                model.equals(MINILM)
                        ? List.of("embed", "hello")
                        : List.of("embed", "--model", opened, "hello");
        String name = model.equals(MINILM) ? "cold/" : "cold/" + Path.of(model).getFileName() + "/";
        Path launcher = Home.path().resolve("bin/cyclane");
        Path cache = temporary();
        try {
            List<Start> starts =
                    List.of(
                            new Start("embed", with(List.of(launcher.toString()), arguments)),
                            new Start("java", java(List.of(), arguments)),
                            new Start(
                                    "java-aot", java(List.of("-XX:AOTCache=" + cache), arguments)));
            // Builds it, where that is due; notes its classes; archives them.
            for (int i = 0; i < 3; i++) {
                seconds(starts.getFirst().command());
            }
            seconds(
                    java(
                            List.of(
                                    "-XX:AOTCacheOutput=" + cache,
                                    "-Xlog:aot=error",
                                    "-Xlog:cds=error"),
                            arguments));
            double[][] taken = new double[starts.size()][runs];
            double[] first = new double[runs];
            for (int run = -1; run < runs; run++) {
                for (int i = 0; i < taken.length; i++) {
                    double time = seconds(starts.get(i).command());
                    if (run >= 0) {
                        taken[i][run] = time;
                    }
                }
                if (run >= 0 && model.equals(MINILM)) {
                    first[run] = secondsOfTheFirst(starts.getFirst().command());
                }
            }
            for (int i = 0; i < taken.length; i++) {
                figures.print(name + starts.get(i).name() + "/seconds", Spread.of(taken[i]));
            }
            if (model.equals(MINILM)) {
                figures.print(name + "first/seconds", Spread.of(first));
            }
        } finally {
            delete(cache);
        }
        inside(figures, name, opened);
    }

    private void inside(Figures figures, String name, String opened) {
        boolean toFullSpeed = model.equals(MINILM);
        double[] load = new double[runs];
        double[] full = new double[runs];
        double[] speed = new double[runs];
        for (int run = 0; run < runs; run++) {
            List<String> flags = toFullSpeed ? List.of("-Dcyclane.threads=1") : List.of();
            double[] seen =
                    Arrays.stream(
                                    ChildJvm.run(
                                                    flags,
                                                    List.of(
                                                            "cold-run",
                                                            "--model=" + opened,
                                                            "--seconds="
                                                                    + (toFullSpeed ? seconds : 0)))
                                            .getFirst()
                                            .split(" "))
                            .mapToDouble(Double::parseDouble)
                            .toArray();
            load[run] = seen[0];
            if (toFullSpeed) {
                full[run] = seen[1];
                speed[run] = seen[2];
            }
        }
        figures.print(name + "load/seconds", Spread.of(load));
        if (toFullSpeed) {
            figures.print(name + "1x16/1t/seconds-to-90-percent", Spread.of(full));
            figures.print(name + "1x16/1t/final-tokens-per-second", Spread.of(speed));
        }
    }

    /** The command line that the launcher ends in. */
    private static List<String> java(List<String> flags, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ChildJvm.launcherFlags());
        command.addAll(flags);
        command.addAll(List.of("-cp", Home.path().resolve("serve/target/app") + "/*"));
        command.add("io.cyclane.serve.Main");
        return with(command, arguments);
    }

    private static List<String> with(List<String> command, List<String> arguments) {
        List<String> whole = new ArrayList<>(command);
        whole.addAll(arguments);
        return whole;
    }

    /** With a cache of its own, in which no model is yet. */
    private static double secondsOfTheFirst(List<String> command) {
        try {
            Path cache = Files.createTempDirectory("cyclane-cache");
            try {
                ProcessBuilder process = new ProcessBuilder(command);
                process.environment().put("CYCLANE_CACHE", cache.toString());
                return seconds(process);
            } finally {
                Subject.delete(cache);
            }
        } catch (IOException e) {
            throw new BenchException("no place for a model to be unpacked to: " + e, e);
        }
    }

    private static double seconds(List<String> command) {
        return seconds(new ProcessBuilder(command));
    }

    private static double seconds(ProcessBuilder process) {
        long start = System.nanoTime();
        List<String> lines = ChildJvm.lines(process);
        double taken = (System.nanoTime() - start) * 1e-9;
        if (lines.isEmpty()) {
            throw new BenchException(
                    "'" + String.join(" ", process.command()) + "' printed no vector");
        }
        return taken;
    }

    private static Path temporary() {
        try {
            Path cache = Files.createTempFile("cyclane", ".aot");
            Files.delete(cache); // the JVM wants to make it
            return cache;
        } catch (IOException e) {
            throw new BenchException("no place for a cache: " + e, e);
        }
    }

    private static void delete(Path cache) {
        try {
            Files.deleteIfExists(cache);
        } catch (IOException e) {
            throw new BenchException("'" + cache + "' can not be deleted: " + e, e);
        }
    }
}

package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.bench.ChildJvm;
import io.cyclane.bench.Main;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * One process of the latency's measurement: runs one engine on a batch call by call and prints the
 * median and the 99th percentile in milliseconds. Calls made to warm up do not count.
 */
@Command(name = "latency-run", hidden = true)
public final class LatencyRun implements Runnable {
    private final Main main;

    @Option(names = "--model", required = true)
    private String model = "";

    @Option(names = "--graph", required = true)
    private String graph = "";

    @Option(names = "--export", required = true)
    private String export = "";

    @Option(names = "--shape", required = true)
    private String shape = "";

    @Option(names = "--threads", required = true)
    private int threads;

    @Option(names = "--engine", required = true)
    private String engine = "";

    @Option(names = "--warm-seconds", required = true)
    private double warmSeconds;

    @Option(names = "--calls", required = true)
    private int calls;

    /** The command of this program. */
    public LatencyRun(Main main) {
        this.main = main;
    }

    /** Milliseconds that half of the calls and 99 of 100 stay below. */
    record Seen(double p50, double p99) {}

    /** {@return what a process of its own sees} */
    static Seen inItsOwnProcess(
            Subject subject,
            String shape,
            int threads,
            String engine,
            double warmSeconds,
            int calls) {
        List<String> arguments = new ArrayList<>(List.of("latency-run"));
        arguments.addAll(subject.options());
        arguments.addAll(
                List.of(
                        "--shape=" + shape,
                        "--threads=" + threads,
                        "--engine=" + engine,
                        "--warm-seconds=" + warmSeconds,
                        "--calls=" + calls));
        List<String> lines = ChildJvm.run(List.of("-Dcyclane.threads=" + threads), arguments);
        if (lines.size() != 1) {
            throw new BenchException("a measuring process said " + lines);
        }
        String[] words = lines.getFirst().split(" ");
        return new Seen(Double.parseDouble(words[0]), Double.parseDouble(words[1]));
    }

    @Override
    public void run() {
        if (calls < 100) {
            throw new BenchException("at least 100 calls have a 99th percentile, not " + calls);
        }
        double[] millis = new double[calls];
        Subject subject = new Subject(model, graph, export);
        try (Engine running = Engine.open(engine, subject, BatchShape.of(shape), threads)) {
            long start = System.nanoTime();
            while ((System.nanoTime() - start) * 1e-9 < warmSeconds) {
                running.run();
            }
            for (int call = 0; call < calls; call++) {
                long before = System.nanoTime();
                running.run();
                millis[call] = (System.nanoTime() - before) * 1e-6;
            }
        }
        Arrays.sort(millis);
        main.out().println(millis[calls / 2] + " " + millis[calls / 100 * 99]);
    }
}

package io.cyclane.bench.encoder;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.ChildJvm;
import io.cyclane.bench.Machine;
import io.cyclane.bench.Main;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * One process of the encoder's measurement: prints a line for each engine, its name and its rate in
 * tokens per second in each run, and a line with the process's resident bytes. Engines of one
 * process take turns.
 */
@Command(name = "encoder-run", hidden = true)
public final class EncoderRun implements Runnable {
    private static final String RESIDENT = "resident-bytes";

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

    @Option(names = "--engines", required = true, split = ",")
    private List<String> engines = List.of();

    @Option(names = "--warm-seconds", required = true)
    private double warmSeconds;

    @Option(names = "--warm-calls", required = true)
    private int warmCalls;

    @Option(names = "--run-seconds", required = true)
    private double runSeconds;

    @Option(names = "--runs", required = true)
    private int runs;

    /** The command of this program. */
    public EncoderRun(Main main) {
        this.main = main;
    }

    /**
     * What a process saw.
     *
     * @param rates tokens per second, by engine as they were asked for, and run
     * @param residentBytes after the last run
     */
    record Seen(double[][] rates, long residentBytes) {}

    /**
     * {@return what a process of its own sees}
     *
     * @param flags for its JVM
     */
    static Seen inItsOwnProcess(
            List<String> flags,
            Subject subject,
            String shape,
            int threads,
            List<String> engines,
            Alternation alternation) {
        List<String> all = new ArrayList<>(flags);
        all.add("-Dcyclane.threads=" + threads);
        List<String> arguments = new ArrayList<>(List.of("encoder-run"));
        arguments.addAll(subject.options());
        arguments.addAll(
                List.of(
                        "--shape=" + shape,
                        "--threads=" + threads,
                        "--engines=" + String.join(",", engines),
                        "--warm-seconds=" + alternation.warmSeconds(),
                        "--warm-calls=" + alternation.warmCalls(),
                        "--run-seconds=" + alternation.runSeconds(),
                        "--runs=" + alternation.runs()));
        List<String> lines = ChildJvm.run(all, arguments);
        if (lines.size() != engines.size() + 1) {
            throw new BenchException("a measuring process said " + lines);
        }
        double[][] rates = new double[engines.size()][];
        for (int i = 0; i < rates.length; i++) {
            rates[i] = numbers(lines.get(i), engines.get(i));
        }
        return new Seen(rates, (long) numbers(lines.getLast(), RESIDENT)[0]);
    }

    private static double[] numbers(String line, String name) {
        String[] words = line.split(" ");
        if (!words[0].equals(name) || words.length < 2) {
            throw new BenchException(
                    "a measuring process said '%s', wanted was '%s' and numbers"
                            .formatted(line, name));
        }
        return Arrays.stream(words).skip(1).mapToDouble(Double::parseDouble).toArray();
    }

    @Override
    public void run() {
        BatchShape batch = BatchShape.of(shape);
        List<Engine> open = new ArrayList<>();
        try {
            List<Alternation.Contender> contenders = new ArrayList<>();
            Subject subject = new Subject(model, graph, export);
            for (String name : engines) {
                Engine engine = Engine.open(name, subject, batch, threads);
                open.add(engine);
                contenders.add(new Alternation.Contender(name, batch.tokens(), engine::run));
            }
            double[][] rates =
                    new Alternation(warmSeconds, warmCalls, runSeconds, runs).rates(contenders);
            for (int i = 0; i < rates.length; i++) {
                StringBuilder line = new StringBuilder(engines.get(i));
                for (double rate : rates[i]) {
                    line.append(' ').append(rate);
                }
                main.out().println(line);
            }
            main.out().println(RESIDENT + " " + Machine.statusBytes("VmRSS"));
        } finally {
            open.forEach(Engine::close);
        }
    }
}

package io.cyclane.bench.encoder;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.bench.Spread;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Tokens per second of an encoder, from token ids to pooled vectors, beside ONNX Runtime.
 *
 * <p>Tokens are counted without padding, for both. With one thread the engines take turns in one
 * process. With more, each runs in processes of its own that take turns, because both keep spinning
 * threads between calls; a sample is then a process, and the value is the median of its runs.
 */
@Command(
        name = "encoder",
        mixinStandardHelpOptions = true,
        description = "an encoder end to end beside ONNX Runtime, tokens per second",
        sortOptions = false)
public final class EncoderCommand implements Runnable {
    private final Main main;

    @Option(
            names = "--model",
            defaultValue = "minilm",
            description =
                    "minilm, random weights of the shape of bge-base, albert-base,"
                            + " modernbert-base or modernbert-large, or a model's folder, beside"
                            + " ONNX Runtime on our export, and of minilm on its jar's graph too (default: ${DEFAULT-VALUE})")
    private String model = "";

    @Option(
            names = "--shapes",
            split = ",",
            defaultValue = "1x16,8x128,32x128,4x512,ragged64",
            description = "texts x tokens, or ragged64 (default: ${DEFAULT-VALUE})")
    private List<String> shapes = List.of();

    @Option(
            names = "--threads",
            split = ",",
            defaultValue = "1,2",
            description = "numbers of threads (default: ${DEFAULT-VALUE})")
    private List<Integer> threads = List.of();

    @Option(
            names = "--warm-seconds",
            defaultValue = "15",
            description = "before anything counts, for each engine (default: ${DEFAULT-VALUE})")
    private double warmSeconds;

    @Option(
            names = "--warm-calls",
            defaultValue = "10",
            description = "at least, for each engine (default: ${DEFAULT-VALUE})")
    private int warmCalls;

    @Option(
            names = "--run-seconds",
            defaultValue = "1",
            description = "length of a run (default: ${DEFAULT-VALUE})")
    private double runSeconds;

    @Option(
            names = "--runs",
            defaultValue = "11",
            description = "of each engine in a process (default: ${DEFAULT-VALUE})")
    private int runs;

    @Option(
            names = "--processes",
            defaultValue = "3",
            description = "of each engine, with several threads (default: ${DEFAULT-VALUE})")
    private int processes;

    @Option(
            names = "--latency-calls",
            defaultValue = "10000",
            description =
                    "single texts of 16 tokens whose p50 and p99 are taken, 0 for none (default:"
                            + " ${DEFAULT-VALUE})")
    private int latencyCalls;

    @Option(
            names = "--jvm",
            description =
                    "a flag for the measuring processes, such as --jvm=-Dcyclane.vectorBits=256")
    private List<String> flags = List.of();

    /** The command of this program. */
    public EncoderCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        shapes.forEach(BatchShape::of);
        if (threads.stream().anyMatch(n -> n < 1) || processes < 1) {
            throw new BenchException(
                    "at least 1 thread and 1 process, not %s and %d".formatted(threads, processes));
        }
        Subject.use(model, this::measure);
    }

    private void measure(Subject subject) {
        Alternation alternation = new Alternation(warmSeconds, warmCalls, runSeconds, runs);
        Figures figures = main.figures();
        List<String> engines = subject.engines();
        boolean isMiniLm = subject.isMiniLm();
        if (isMiniLm && !engines.contains(Engine.ONNX_INT8)) {
            figures.note("no int8 model on the class path: bin/bench --peers fetches it");
        }
        String prefix = isMiniLm ? "encoder" : "encoder/" + Path.of(model).getFileName();
        for (int count : threads) {
            for (String shape : shapes) {
                String name = "%s/%s/%dt".formatted(prefix, shape, count);
                figures.note(name + " ...");
                double[][] rates =
                        count == 1
                                ? EncoderRun.inItsOwnProcess(
                                                flags, subject, shape, 1, engines, alternation)
                                        .rates()
                                : byProcesses(subject, shape, count, engines, alternation);
                print(figures, name, engines, rates);
            }
            if (isMiniLm && latencyCalls > 0) {
                latencies(figures, subject, count, engines);
            }
        }
    }

    /** Processes of their own, for both runtimes keep spinning threads between calls. */
    private void latencies(Figures figures, Subject subject, int count, List<String> engines) {
        for (String engine : engines) {
            String name = "encoder/1x16/%dt/%s/".formatted(count, engine);
            figures.note(name + " latency ...");
            LatencyRun.Seen seen =
                    LatencyRun.inItsOwnProcess(
                            subject, "1x16", count, engine, warmSeconds, latencyCalls);
            figures.print(name + "p50-milliseconds", seen.p50());
            figures.print(name + "p99-milliseconds", seen.p99());
        }
    }

    private double[][] byProcesses(
            Subject subject,
            String shape,
            int count,
            List<String> engines,
            Alternation alternation) {
        double[][] rates = new double[engines.size()][processes];
        for (int process = 0; process < processes; process++) {
            for (int i = 0; i < rates.length; i++) {
                List<String> alone = List.of(engines.get(i));
                EncoderRun.Seen seen =
                        EncoderRun.inItsOwnProcess(
                                flags, subject, shape, count, alone, alternation);
                rates[i][process] = Spread.of(seen.rates()[0]).median();
            }
        }
        return rates;
    }

    private static void print(
            Figures figures, String name, List<String> engines, double[][] rates) {
        figures.print(name + "/tokens-per-second", Spread.of(rates[0]));
        for (int i = 1; i < rates.length; i++) {
            String peer = engines.get(i);
            figures.print(name + "/" + peer + "/tokens-per-second", Spread.of(rates[i]));
            figures.print(name + "/over-" + peer, Spread.ofRatios(rates[0], rates[i]));
        }
    }
}

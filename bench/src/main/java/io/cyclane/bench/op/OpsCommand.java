package io.cyclane.bench.op;

import io.cyclane.bench.BenchException;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.bench.Spread;
import io.cyclane.bench.encoder.BatchShape;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.DeviceRates;
import io.cyclane.tensor.backend.Settings;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.regex.Pattern;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Runs the benchmarks of this package under JMH and prints what their times mean: GFLOP/s, tokens
 * per second, nanoseconds an element. JMH's own account goes to standard error. Last comes what a
 * mixture of low-rank updates costs over the plain layer, the two in turns.
 */
@Command(
        name = "ops",
        mixinStandardHelpOptions = true,
        description = "each operation by itself on one thread, under JMH",
        sortOptions = false)
public final class OpsCommand implements Runnable {
    private static final double MICRO = 1e-6;

    private final Main main;
    private final Map<String, DeviceRates> rates = new HashMap<>();

    @Option(
            names = "--include",
            defaultValue = ".*",
            description = "regular expression on names such as LinearBenchmark.linear")
    private String include = "";

    @Option(
            names = {"-p", "--parameter"},
            description = "NAME=VALUE,VALUE in place of a benchmark's own, such as rows=384")
    private List<String> parameters = List.of();

    @Option(names = "--iterations", description = "in place of a benchmark's own")
    private int iterations;

    @Option(names = "--warm-iterations", description = "in place of a benchmark's own")
    private int warmIterations;

    @Option(names = "--iteration-seconds", description = "in place of a benchmark's own")
    private long iterationSeconds;

    @Option(names = "--profiler", description = "of JMH, such as gc")
    private String profiler = "";

    @Option(
            names = "--mixture-runs",
            defaultValue = "31",
            description =
                    "pairs of runs for mol/../over-plain, where names such as MolOverPlain are"
                            + " included (default: ${DEFAULT-VALUE})")
    private int mixtureRuns;

    /** The command of this program. */
    public OpsCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        Figures figures = main.figures();
        OutputFormat account =
                OutputFormatFactory.createFormatInstance(
                        new PrintStream(System.err, true), VerboseMode.NORMAL);
        try {
            for (RunResult result : new Runner(options(), account).run()) {
                print(figures, result);
            }
        } catch (NoBenchmarksException e) {
            if (!includesMixture()) {
                throw new BenchException("JMH: " + e.getMessage(), e);
            }
        } catch (RunnerException e) {
            throw new BenchException("JMH: " + e.getMessage(), e);
        }
        if (includesMixture()) {
            new MolOverPlain(figures, mixtureRuns).print();
        }
    }

    /** Whether the cost of a mixture was asked for too, which is measured in this process. */
    private boolean includesMixture() {
        return parameters.isEmpty() && Pattern.compile(include).matcher("MolOverPlain").find();
    }

    private Options options() {
        ChainedOptionsBuilder options = new OptionsBuilder();
        options.include(getClass().getPackageName().replace(".", "\\.") + "\\." + include);
        options.shouldFailOnError(true);
        options.addProfiler(DeviceTime.class);
        for (String parameter : parameters) {
            int equals = parameter.indexOf('=');
            if (equals < 1) {
                throw new BenchException(
                        "a parameter is written NAME=VALUE, not '" + parameter + "'");
            }
            options.param(
                    parameter.substring(0, equals), parameter.substring(equals + 1).split(","));
        }
        if (iterations > 0) {
            options.measurementIterations(iterations);
        }
        if (warmIterations > 0) {
            options.warmupIterations(warmIterations);
        }
        if (iterationSeconds > 0) {
            options.measurementTime(TimeValue.seconds(iterationSeconds));
            options.warmupTime(TimeValue.seconds(iterationSeconds));
        }
        if (!profiler.isEmpty()) {
            options.addProfiler(profiler);
        }
        return options.build();
    }

    /**
     * What a time per call means.
     *
     * @param name of the operation at its shape
     * @param unit of the figure
     * @param ofSeconds the figure, given the seconds of a call
     * @param flops of a call in products, 0 where they do not count
     */
    private record Meaning(String name, String unit, DoubleUnaryOperator ofSeconds, double flops) {
        Meaning(String name, String unit, DoubleUnaryOperator ofSeconds) {
            this(name, unit, ofSeconds, 0);
        }
    }

    private static Meaning meaning(BenchmarkParams parameters) {
        String method = parameters.getBenchmark();
        String op = method.substring(method.lastIndexOf('.') + 1);
        return switch (op) {
            case "linear" -> {
                double rows = number(parameters, "rows");
                double[] weight = extents(parameters.getParam("weight"));
                String shape = parameters.getParam("rows") + "x" + parameters.getParam("weight");
                yield gigaflops(op + "/" + shape, 2 * rows * weight[0] * weight[1]);
            }
            case "expertMatMul" -> {
                double rows = number(parameters, "rows");
                double[] weight = extents(parameters.getParam("weight"));
                String shape = parameters.getParam("rows") + "x" + parameters.getParam("weight");
                double products = rows * MolLayer.CHOICES;
                yield gigaflops(op + "/" + shape, 2 * products * weight[0] * weight[1]);
            }
            case "attention" -> {
                double[] texts = extents(parameters.getParam("texts"));
                double window = number(parameters, "window");
                double seen = window == 0 ? texts[1] : Math.min(texts[1], 2 * window + 1);
                double flops =
                        4 * texts[0] * texts[1] * seen * 12 * number(parameters, "headWidth");
                yield gigaflops(op + "/" + values(parameters), flops);
            }
            case "molGeGlu" -> {
                double[] layer = extents(parameters.getParam("layer"));
                // What the plain layer of these widths takes.
                double flops = 6 * layer[0] * layer[1] * layer[2];
                yield gigaflops(op + "/" + parameters.getParam("layer"), flops);
            }
            case "embed" -> {
                int tokens =
                        BatchShape.each(parameters.getParam("texts")).stream()
                                .mapToInt(BatchShape::tokens)
                                .sum();
                yield new Meaning(
                        op + "/" + values(parameters), "tokens-per-second", s -> tokens / s);
            }
            case "tokenize" -> {
                double characters =
                        TokenizerBenchmark.texts().stream().mapToLong(String::length).sum();
                yield new Meaning(
                        op + "/" + values(parameters),
                        "characters-per-second",
                        s -> characters / TokenizerBenchmark.TEXTS / s);
            }
            default -> {
                double elements = number(parameters, "rows") * number(parameters, "width");
                yield new Meaning(
                        op + "/" + values(parameters),
                        "nanoseconds-per-element",
                        s -> s * 1e9 / elements);
            }
        };
    }

    private static Meaning gigaflops(String name, double flops) {
        return new Meaning(name, "gflops", seconds -> flops / seconds * 1e-9, flops);
    }

    private static double number(BenchmarkParams parameters, String name) {
        return Double.parseDouble(parameters.getParam(name));
    }

    private static double[] extents(String text) {
        return Arrays.stream(text.split("x")).mapToDouble(Double::parseDouble).toArray();
    }

    /** {@return rows=384,width=768: every parameter but the backend and the usual model} */
    private static String values(BenchmarkParams parameters) {
        return String.join(
                ",",
                parameters.getParamsKeys().stream()
                        .filter(key -> !key.equals("backend"))
                        .filter(key ->
                                !key.equals("model") || !parameters.getParam(key).equals("minilm"))
                        .map(key -> key + "=" + parameters.getParam(key))
                        .toList());
    }

    private void print(Figures figures, RunResult result) {
        Meaning meaning = meaning(result.getParams());
        Statistics micros = result.getPrimaryResult().getStatistics();
        String backend = result.getParams().getParam("backend");
        boolean isOnHost = backend == null || backend.equals("cpu");
        String name = "ops/" + meaning.name() + (isOnHost ? "/1t/" : "/" + backend + "/");
        figures.print(
                name + "microseconds",
                new Spread(
                        micros.getPercentile(50),
                        micros.getMin(),
                        micros.getMax(),
                        Math.toIntExact(micros.getN())));
        DoubleUnaryOperator figure = meaning.ofSeconds();
        double best = figure.applyAsDouble(micros.getMin() * MICRO);
        double worst = figure.applyAsDouble(micros.getMax() * MICRO);
        figures.print(
                name + meaning.unit(),
                new Spread(
                        figure.applyAsDouble(micros.getPercentile(50) * MICRO),
                        Math.min(best, worst),
                        Math.max(best, worst),
                        Math.toIntExact(micros.getN())));
        result.getSecondaryResults()
                .forEach((label, extra) ->
                        figures.print(name + label.replace("·", ""), extra.getScore()));
        Result<?> device = result.getSecondaryResults().get(DeviceTime.MICROSECONDS);
        if (device != null) {
            double bytes = result.getSecondaryResults().get(DeviceTime.BYTES).getScore();
            double floor = rates(backend).floorSeconds(bytes, meaning.flops(), isOnMatrices());
            figures.print(name + "of-floor", floor / (device.getScore() * MICRO));
        }
    }

    /** Measured once for each backend, before its first floor. */
    private DeviceRates rates(String backend) {
        return rates.computeIfAbsent(
                backend,
                name -> {
                    try (Backend measured = Backends.open(name)) {
                        return measured.measure().orElseThrow();
                    }
                });
    }

    /**
     * Whether products are made by matrix instructions, as the setting says that forks read too.
     */
    private static boolean isOnMatrices() {
        return !Settings.text("gpuPrecision").orElse("f32").equals("f32");
    }
}

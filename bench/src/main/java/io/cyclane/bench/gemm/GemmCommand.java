package io.cyclane.bench.gemm;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.bench.Spread;
import io.cyclane.bench.peak.RegisterLoop;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Matrix products of encoders on one thread, beside oneMKL and OpenBLAS, which take turns with
 * Cyclane in this process, and all of them beside what the registers alone could do at the time.
 */
@Command(
        name = "gemm",
        mixinStandardHelpOptions = true,
        description = "f32 matrix products beside oneMKL and OpenBLAS on one thread, GFLOP/s",
        sortOptions = false)
public final class GemmCommand implements Runnable {
    private static final int MANY_ROWS = 128;
    private static final int FEW_ROWS = 16;

    private final Main main;

    @Option(
            names = "--rows",
            split = ",",
            defaultValue = "1,16,128,384,1024,4096",
            description = "rows of the left side (default: ${DEFAULT-VALUE})")
    private List<Integer> rows = List.of();

    @Option(
            names = "--weights",
            split = ",",
            defaultValue =
                    "384x1152,384x384,384x1536,1536x384,768x3072,3072x768,1152x768,1024x5248,2624x1024",
            description = "in x out of the right side (default: ${DEFAULT-VALUE})")
    private List<String> weights = List.of();

    @Option(
            names = "--warm-seconds",
            defaultValue = "2",
            description = "before a shape counts, for each contender (default: ${DEFAULT-VALUE})")
    private double warmSeconds;

    @Option(
            names = "--first-warm-seconds",
            defaultValue = "15",
            description = "the same for the first shape, when C2 has yet to compile all")
    private double firstWarmSeconds;

    @Option(
            names = "--run-seconds",
            defaultValue = "0.2",
            description = "length of a run (default: ${DEFAULT-VALUE})")
    private double runSeconds;

    @Option(
            names = "--runs",
            defaultValue = "11",
            description = "of each contender (default: ${DEFAULT-VALUE})")
    private int runs;

    /** The command of this program. */
    public GemmCommand(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        List<GemmShape> shapes = new ArrayList<>();
        for (int count : rows) {
            for (String weight : weights) {
                shapes.add(GemmShape.of(count + "x" + weight));
            }
        }
        Figures figures = main.figures();
        List<Blas> libraries = Blas.present();
        if (libraries.isEmpty()) {
            figures.note("no native library on the class path: bin/bench --peers fetches them");
        }
        System.setProperty("cyclane.threads", "1");
        Map<String, List<Double>> ratios = new TreeMap<>();
        try (Backend backend = Backends.open("cpu")) {
            double warm = firstWarmSeconds;
            for (GemmShape shape : shapes) {
                measure(figures, shape, backend, libraries, warm, ratios);
                warm = warmSeconds;
            }
        }
        ratios.forEach((name, values) ->
                figures.print(
                        name,
                        Spread.of(values.stream().mapToDouble(Double::doubleValue).toArray())));
    }

    private void measure(
            Figures figures,
            GemmShape shape,
            Backend backend,
            List<Blas> libraries,
            double warm,
            Map<String, List<Double>> ratios) {
        String name = "gemm/" + shape + "/1t";
        try (GemmPeers peers = new GemmPeers(shape, backend, libraries);
                RegisterLoop loop = new RegisterLoop(1)) {
            List<Alternation.Contender> contenders = new ArrayList<>(peers.contenders());
            contenders.add(new Alternation.Contender("registers", loop.flops(), loop::run));
            double[][] rates =
                    new Alternation(warm, /* warmCalls */ 3, runSeconds, runs).rates(contenders);
            double[] registers = rates[rates.length - 1];
            double[] best = new double[runs];
            figures.print(name + "/gflops", Spread.ofGigas(rates[0]));
            figures.print(name + "/of-registers", Spread.ofRatios(rates[0], registers));
            for (int i = 1; i < rates.length - 1; i++) {
                String peer = contenders.get(i).name();
                Spread ratio = Spread.ofRatios(rates[0], rates[i]);
                figures.print(name + "/" + peer + "/gflops", Spread.ofGigas(rates[i]));
                figures.print(
                        name + "/" + peer + "/of-registers", Spread.ofRatios(rates[i], registers));
                figures.print(name + "/over-" + peer, ratio);
                collect(ratios, shape, peer, ratio);
                for (int run = 0; run < runs; run++) {
                    best[run] = Math.max(best[run], rates[i][run]);
                }
            }
            if (peers.contenders().size() > 1) {
                collect(ratios, shape, "best", Spread.ofRatios(rates[0], best));
            }
        }
    }

    private static void collect(
            Map<String, List<Double>> ratios, GemmShape shape, String peer, Spread ratio) {
        String group =
                shape.rows() >= MANY_ROWS
                        ? "rows-from-" + MANY_ROWS
                        : shape.rows() <= FEW_ROWS ? "rows-to-" + FEW_ROWS : "rows-between";
        ratios.computeIfAbsent("gemm/" + group + "/1t/over-" + peer, _ -> new ArrayList<>())
                .add(ratio.median());
    }
}

package io.cyclane.bench.peak;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.Alternation.Contender;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.bench.Spread;
import io.cyclane.bench.encoder.BatchShape;
import io.cyclane.bench.op.OneOp;
import io.cyclane.cpu.CpuBackend;
import io.cyclane.model.Encoder;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.Backend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The dense layers of MiniLM, and the whole of it, beside a loop of multiply-adds that touches
 * nothing but registers, in turn in this process: what of the machine they use, and what they gain
 * by a second thread, which on a machine that is shared is never known otherwise.
 */
@Command(
        name = "peak",
        mixinStandardHelpOptions = true,
        description = "products and MiniLM beside what the registers alone can do, GFLOP/s",
        sortOptions = false)
public final class PeakCommand implements Runnable {
    private static final BatchShape BATCH = BatchShape.of("8x128");
    private static final int WIDTH = 384;
    private static final int HIDDEN = 1536;
    private static final int LAYERS = 6;

    /** Inputs and outputs of a layer's products. */
    private static final int[][] WEIGHTS = {
        {WIDTH, 3 * WIDTH}, {WIDTH, WIDTH}, {WIDTH, HIDDEN}, {HIDDEN, WIDTH}
    };

    private final Main main;

    @Option(
            names = "--threads",
            defaultValue = "2",
            description = "beside one thread (default: ${DEFAULT-VALUE})")
    private int threads;

    @Option(
            names = "--warm-seconds",
            defaultValue = "8",
            description = "before anything counts, for each contender (default: ${DEFAULT-VALUE})")
    private double warmSeconds;

    @Option(
            names = "--run-seconds",
            defaultValue = "0.2",
            description = "length of a run (default: ${DEFAULT-VALUE})")
    private double runSeconds;

    @Option(
            names = "--runs",
            defaultValue = "21",
            description = "of each contender (default: ${DEFAULT-VALUE})")
    private int runs;

    /** The command of this program. */
    public PeakCommand(Main main) {
        this.main = main;
    }

    /** One layer's products, a call of which runs all of them. */
    private record Products(List<OneOp> each) implements AutoCloseable {
        static Products open(Backend backend) {
            List<OneOp> each = new ArrayList<>();
            for (int[] weight : WEIGHTS) {
                Parameter parameter = Parameter.of("weight", weight[1], weight[0]);
                each.add(OneOp.product(backend, BATCH.tokens(), parameter));
            }
            return new Products(each);
        }

        void run() {
            each.forEach(OneOp::run);
        }

        @Override
        public void close() {
            each.forEach(OneOp::close);
        }
    }

    @Override
    public void run() {
        Figures figures = main.figures();
        System.setProperty("cyclane.threads", "1");
        try (RegisterLoop one = new RegisterLoop(1);
                RegisterLoop some = new RegisterLoop(threads);
                Backend oneThread = CpuBackend.open(1);
                Backend someThreads = CpuBackend.open(threads);
                Products products = Products.open(oneThread);
                Products shared = Products.open(someThreads);
                Encoder encoder =
                        Encoder.builder("minilm").backend("cpu").capacity(BATCH.capacity()).load();
                Arena arena = Arena.ofConfined()) {
            var batch = BATCH.batch();
            MemorySegment vectors =
                    arena.allocate(4L * batch.sequences() * encoder.dimension(), 64);
            double[][] rates =
                    new Alternation(warmSeconds, /* warmCalls */ 3, runSeconds, runs)
                            .rates(
                                    List.of(
                                            new Contender("registers", one.flops(), one::run),
                                            new Contender("registers", some.flops(), some::run),
                                            new Contender("gemm", layerFlops(), products::run),
                                            new Contender("gemm", layerFlops(), shared::run),
                                            new Contender(
                                                    "encoder",
                                                    encoderFlops(),
                                                    () -> encoder.embed(batch, vectors))));
            print(figures, rates);
        }
    }

    private void print(Figures figures, double[][] rates) {
        String more = "/" + threads + "t";
        figures.print("peak/registers/1t/gflops", Spread.ofGigas(rates[0]));
        figures.print("peak/registers" + more + "/gain", Spread.ofRatios(rates[1], rates[0]));
        figures.print("peak/gemm/1t/gflops", Spread.ofGigas(rates[2]));
        figures.print("peak/gemm/1t/of-registers", Spread.ofRatios(rates[2], rates[0]));
        figures.print("peak/gemm" + more + "/gain", Spread.ofRatios(rates[3], rates[2]));
        double[] gains = new double[runs];
        Arrays.setAll(gains, i -> rates[3][i] / rates[2][i] / (rates[1][i] / rates[0][i]));
        figures.print("peak/gemm" + more + "/gain-over-registers", Spread.of(gains));
        figures.print("peak/encoder/8x128/1t/gflops", Spread.ofGigas(rates[4]));
        figures.print("peak/encoder/8x128/1t/of-registers", Spread.ofRatios(rates[4], rates[0]));
        figures.print("peak/encoder/8x128/1t/of-gemm", Spread.ofRatios(rates[4], rates[2]));
    }

    private static double layerFlops() {
        double flops = 0;
        for (int[] weight : WEIGHTS) {
            flops += 2.0 * BATCH.tokens() * weight[0] * weight[1];
        }
        return flops;
    }

    /** Dense layers, and two products of attention: of a token with its text's others. */
    private static double encoderFlops() {
        double attention = 0;
        for (int length : BATCH.lengths()) {
            attention += 4.0 * length * length * WIDTH;
        }
        return LAYERS * (layerFlops() + attention);
    }
}

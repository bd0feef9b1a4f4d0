package io.cyclane.bench.peak;

import io.cyclane.bench.Alternation;
import io.cyclane.bench.Alternation.Contender;
import io.cyclane.bench.Figures;
import io.cyclane.bench.Main;
import io.cyclane.bench.Spread;
import io.cyclane.bench.encoder.BatchShape;
import io.cyclane.bench.encoder.Engine;
import io.cyclane.bench.encoder.Subject;
import io.cyclane.bench.op.OneOp;
import io.cyclane.cpu.CpuBackend;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.backend.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The dense layers of MiniLM, and the whole of it, beside a loop of multiply-adds that touches
 * nothing but registers, in turn in this process: what of the machine they use, and what they gain
 * by a second thread, which on a machine that is shared is never known otherwise. ONNX Runtime
 * takes its turns too: the registers' rate over its own is the most that any program could be ahead
 * of it in F32 here, if products ran at that rate and nothing else took time.
 */
@Command(
        name = "peak",
        mixinStandardHelpOptions = true,
        description = "products and MiniLM beside what the registers alone can do, GFLOP/s",
        sortOptions = false)
public final class PeakCommand implements Runnable {
    /** The rows of the products that are measured alone. */
    private static final int ROWS = 1024;

    private static final int WIDTH = 384;
    private static final int HIDDEN = 1536;
    private static final int LAYERS = 6;

    /** Inputs and outputs of a layer's products. */
    private static final int[][] WEIGHTS = {
        {WIDTH, 3 * WIDTH}, {WIDTH, WIDTH}, {WIDTH, HIDDEN}, {HIDDEN, WIDTH}
    };

    private final Main main;

    @Option(
            names = "--shapes",
            split = ",",
            defaultValue = "8x128",
            description = "of MiniLM's batches: texts x tokens (default: ${DEFAULT-VALUE})")
    private List<String> shapes = List.of();

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
                each.add(OneOp.product(backend, ROWS, parameter));
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
        List<BatchShape> batches = shapes.stream().map(BatchShape::of).toList();
        System.setProperty("cyclane.threads", "1");
        List<Engine> engines = new ArrayList<>();
        try (RegisterLoop one = new RegisterLoop(1);
                RegisterLoop some = new RegisterLoop(threads);
                Backend oneThread = CpuBackend.open(1);
                Backend someThreads = CpuBackend.open(threads);
                Products products = Products.open(oneThread);
                Products shared = Products.open(someThreads)) {
            List<Contender> contenders = new ArrayList<>();
            contenders.add(new Contender("registers", one.flops(), one::run));
            contenders.add(new Contender("registers", some.flops(), some::run));
            contenders.add(new Contender("gemm", layerFlops(ROWS), products::run));
            contenders.add(new Contender("gemm", layerFlops(ROWS), shared::run));
            for (BatchShape batch : batches) {
                for (String name : List.of(Engine.CYCLANE, Engine.ONNX_F32)) {
                    Engine engine = Engine.open(name, Subject.MINILM, batch, 1);
                    engines.add(engine);
                    contenders.add(new Contender(name, encoderFlops(batch), engine::run));
                }
            }
            Alternation alternation =
                    new Alternation(warmSeconds, /* warmCalls */ 3, runSeconds, runs);
            print(main.figures(), alternation.rates(contenders));
        } finally {
            engines.forEach(Engine::close);
        }
    }

    private void print(Figures figures, double[][] rates) {
        double[] registers = rates[0];
        double[] gemm = rates[2];
        String more = "/" + threads + "t";
        figures.print("peak/registers/1t/gflops", Spread.ofGigas(registers));
        figures.print("peak/registers" + more + "/gain", Spread.ofRatios(rates[1], registers));
        figures.print("peak/gemm/1t/gflops", Spread.ofGigas(gemm));
        figures.print("peak/gemm/1t/of-registers", Spread.ofRatios(gemm, registers));
        figures.print("peak/gemm" + more + "/gain", Spread.ofRatios(rates[3], gemm));
        double[] gains = new double[runs];
        Arrays.setAll(gains, i -> rates[3][i] / gemm[i] / (rates[1][i] / registers[i]));
        figures.print("peak/gemm" + more + "/gain-over-registers", Spread.of(gains));
        for (int i = 0; i < shapes.size(); i++) {
            double[] ours = rates[4 + 2 * i];
            double[] peer = rates[5 + 2 * i];
            String name = "peak/encoder/" + shapes.get(i) + "/1t/";
            figures.print(name + "gflops", Spread.ofGigas(ours));
            figures.print(name + "of-registers", Spread.ofRatios(ours, registers));
            figures.print(name + "of-gemm", Spread.ofRatios(ours, gemm));
            String over = "over-" + Engine.ONNX_F32;
            figures.print(name + over, Spread.ofRatios(ours, peer));
            figures.print(name + "registers-" + over, Spread.ofRatios(registers, peer));
        }
    }

    private static double layerFlops(int rows) {
        double flops = 0;
        for (int[] weight : WEIGHTS) {
            flops += 2.0 * rows * weight[0] * weight[1];
        }
        return flops;
    }

    /** Dense layers, and two products of attention: of a token with its text's others. */
    private static double encoderFlops(BatchShape batch) {
        double attention = 0;
        for (int length : batch.lengths()) {
            attention += 4.0 * length * length * WIDTH;
        }
        return LAYERS * (layerFlops(batch.tokens()) + attention);
    }
}

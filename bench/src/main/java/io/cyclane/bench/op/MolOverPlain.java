package io.cyclane.bench.op;

import io.cyclane.bench.Figures;
import io.cyclane.bench.Spread;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;

/**
 * What a mixture of low-rank updates costs, router included, over the plain layer of the same
 * widths: the two take turns on this thread alone, and are timed by the processor time it gets, so
 * that what else runs on the machine weighs little.
 */
final class MolOverPlain {
    private static final List<String> WIDTHS =
            List.of("768x1152", "768x2624", "1024x2624", "1024x5248");
    private static final int[] ROWS = {16, 128, 384};

    /** C2 needs some seconds for the first layer; the kernels of the next are the same. */
    private static final double FIRST_WARM_SECONDS = 10;

    private static final double WARM_SECONDS = 1.5;

    private static final double RUN_SECONDS = 0.1;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final Figures figures;
    private final int runs;

    MolOverPlain(Figures figures, int runs) {
        this.figures = figures;
        this.runs = runs;
    }

    /** Prints the ratios of all layers. */
    void print() {
        System.setProperty("cyclane.threads", "1");
        try (Backend backend = Backends.open("cpu")) {
            double warm = FIRST_WARM_SECONDS;
            for (String widths : WIDTHS) {
                for (int rows : ROWS) {
                    print(backend, MolLayer.of(rows + "x" + widths), warm);
                    warm = WARM_SECONDS;
                }
            }
        }
    }

    private void print(Backend backend, MolLayer layer, double warmSeconds) {
        try (OneOp plain = layer.scaled(OneOp.open(backend, layer::plain));
                OneOp routed = layer.scaled(OneOp.open(backend, layer::routed))) {
            long start = System.nanoTime();
            while (!backend.isWarm() || System.nanoTime() - start < warmSeconds * 1e9) {
                plain.run();
                routed.run();
            }
            double[] plains = new double[runs];
            double[] routeds = new double[runs];
            for (int run = 0; run < runs; run++) {
                plains[run] = seconds(plain);
                routeds[run] = seconds(routed);
            }
            figures.print("mol/" + layer + "/1t/over-plain", Spread.ofRatios(routeds, plains));
        }
    }

    /** {@return the processor time of a call} */
    private static double seconds(OneOp op) {
        long start = THREADS.getCurrentThreadCpuTime();
        long nanos;
        int calls = 0;
        do {
            op.run();
            calls++;
            nanos = THREADS.getCurrentThreadCpuTime() - start;
        } while (nanos < RUN_SECONDS * 1e9);
        return nanos * 1e-9 / calls;
    }
}

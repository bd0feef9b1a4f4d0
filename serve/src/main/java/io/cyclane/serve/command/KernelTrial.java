package io.cyclane.serve.command;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Binding;
import io.cyclane.tensor.backend.Executable;
import io.cyclane.tensor.backend.Session;
import io.cyclane.tensor.backend.Weights;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The speed of a backend's dense layer, 128 rows of 384 inputs and as many outputs, beside a loop
 * in plain Java on one thread: 38 million multiply-adds each.
 */
final class KernelTrial {
    private static final int ROWS = 128;
    private static final int WIDTH = 384;
    private static final double GFLOP = 2e-9 * ROWS * WIDTH * WIDTH;

    /** More than the kernels take to be compiled, unless they never are. */
    private static final double MOST_SECONDS = 60;

    private static final double SECONDS = 1;

    private KernelTrial() {}

    /** The best rates seen, in GFLOP/s. */
    record Seen(double kernelGflops, double loopGflops) {}

    /** {@return how fast a backend is} */
    static Seen of(Backend backend) {
        return new Seen(kernel(backend), loop());
    }

    private static double kernel(Backend backend) {
        Recorder g = new Recorder("doctor");
        Tensor x = g.input("x", Type.f32(Shape.of(ROWS, WIDTH)));
        Tensor w = g.parameter(Parameter.of("weight", WIDTH, WIDTH));
        g.output("y", g.first(Linear.plain(false), x, w));
        try (Weights weights =
                backend.weights((parameter, memory) ->
                        memory.allocateFrom(ValueLayout.JAVA_FLOAT, ones(WIDTH * WIDTH)))) {
            Executable executable = backend.compile(g.program(), weights);
            try (Session session = backend.open(executable)) {
                Binding binding = session.binding(executable);
                binding.input("x").segment().copyFrom(MemorySegment.ofArray(ones(ROWS * WIDTH)));
                long start = System.nanoTime();
                while (!backend.isWarm() && since(start) < MOST_SECONDS) {
                    binding.run();
                }
                return best(binding::run);
            }
        }
    }

    private static double loop() {
        float[] x = ones(ROWS * WIDTH);
        float[] w = ones(WIDTH * WIDTH);
        float[] y = new float[ROWS * WIDTH];
        double best = best(() -> multiply(x, w, y));
        if (y[0] != WIDTH) {
            throw new IllegalStateException("a sum of " + WIDTH + " ones is not " + y[0]);
        }
        return best;
    }

    private static void multiply(float[] x, float[] w, float[] y) {
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < WIDTH; column++) {
                float sum = 0;
                for (int k = 0; k < WIDTH; k++) {
                    sum += x[row * WIDTH + k] * w[column * WIDTH + k];
                }
                y[row * WIDTH + column] = sum;
            }
        }
    }

    /** {@return the best rate of some time} */
    private static double best(Runnable work) {
        double best = 0;
        long start = System.nanoTime();
        while (since(start) < SECONDS) {
            long before = System.nanoTime();
            work.run();
            best = Math.max(best, GFLOP / since(before));
        }
        return best;
    }

    private static double since(long startNanos) {
        return (System.nanoTime() - startNanos) * 1e-9;
    }

    private static float[] ones(int n) {
        float[] ones = new float[n];
        Arrays.fill(ones, 1f);
        return ones;
    }
}

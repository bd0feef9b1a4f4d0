package io.cyclane.bench;

import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * One process of the cold start's measurement: prints the seconds from {@code Encoder.load} to the
 * first vector, those from there until a text of 16 tokens is run at 90% of the final speed, and
 * that speed in tokens per second.
 */
@Command(name = "cold-run", hidden = true)
final class ColdRun implements Runnable {
    private static final int TOKENS = 16;
    private static final int MOST_CALLS = 1 << 22;

    /** Calls whose median must be fast: one alone may be luck. */
    private static final int WINDOW = 15;

    private final Main main;

    @Option(names = "--model", required = true)
    private String model = "";

    /** 0 for none: the first vector is all. */
    @Option(names = "--seconds", required = true)
    private double seconds;

    ColdRun(Main main) {
        this.main = main;
    }

    @Override
    public void run() {
        long start = System.nanoTime();
        try (Encoder encoder = Encoder.load(model);
                Arena arena = Arena.ofConfined()) {
            encoder.embed("a first text");
            double loaded = since(start);
            if (seconds == 0) {
                main.out().println(loaded);
                return;
            }
            int[] ids = new int[TOKENS];
            Arrays.setAll(ids, i -> 2000 + 7 * i);
            TokenBatch batch = new TokenBatch();
            batch.add(ids);
            MemorySegment vector = arena.allocate(4L * encoder.dimension(), 64);
            double[] ends = new double[MOST_CALLS];
            int calls = 0;
            start = System.nanoTime();
            do {
                encoder.embed(batch, vector);
                ends[calls] = since(start);
            } while (ends[calls++] < seconds && calls < MOST_CALLS);
            double[] durations = durations(Arrays.copyOf(ends, calls));
            double last = Spread.of(Arrays.copyOfRange(durations, calls * 3 / 4, calls)).median();
            main.out()
                    .println(loaded + " " + firstFast(durations, ends, last) + " " + TOKENS / last);
        }
    }

    private static double[] durations(double[] ends) {
        double[] durations = new double[ends.length];
        for (int i = 0; i < ends.length; i++) {
            durations[i] = i == 0 ? ends[0] : ends[i] - ends[i - 1];
        }
        return durations;
    }

    /** {@return when the first window began whose median call is at 90% of the final speed} */
    private static double firstFast(double[] durations, double[] ends, double last) {
        for (int i = 0; i + WINDOW <= durations.length; i++) {
            double[] window = Arrays.copyOfRange(durations, i, i + WINDOW);
            if (Spread.of(window).median() <= last / 0.9) {
                return i == 0 ? 0 : ends[i - 1];
            }
        }
        throw new BenchException(
                "only %d calls were made: take more --seconds".formatted(durations.length));
    }

    private static double since(long startNanos) {
        return (System.nanoTime() - startNanos) * 1e-9;
    }
}

package io.cyclane.bench;

import java.util.List;

/**
 * Measures contenders beside each other in one process: first each is warmed, then short runs of
 * them alternate, A B C A B C, so that whatever else the machine does befalls all of them.
 *
 * @param warmSeconds how long each contender is called before anything counts. C2 takes about 12
 *     seconds until a forward of 8 texts of 128 tokens is all its own code.
 * @param warmCalls how often it is called at least
 * @param runSeconds how long one run takes, a call at least
 * @param runs how many of each contender
 */
public record Alternation(double warmSeconds, int warmCalls, double runSeconds, int runs) {
    public Alternation {
        if (!(warmSeconds >= 0 && warmCalls >= 0 && runSeconds > 0 && runs >= 1)) {
            throw new IllegalArgumentException(
                    "at least one run of some length, not %d of %s seconds after %s seconds and %d calls"
                            .formatted(runs, runSeconds, warmSeconds, warmCalls));
        }
    }

    /**
     * Something to measure.
     *
     * @param workPerCall in the unit that the rates are wanted in: tokens, FLOPs
     */
    public record Contender(String name, double workPerCall, Runnable call) {}

    /** {@return work per second, by contender and run} */
    public double[][] rates(List<Contender> contenders) {
        for (Contender contender : contenders) {
            warm(contender.call());
        }
        double[][] rates = new double[contenders.size()][runs];
        for (int run = 0; run < runs; run++) {
            for (int i = 0; i < contenders.size(); i++) {
                rates[i][run] = rate(contenders.get(i));
            }
        }
        return rates;
    }

    private void warm(Runnable call) {
        long start = System.nanoTime();
        for (int calls = 0; calls < warmCalls || seconds(start) < warmSeconds; calls++) {
            call.run();
        }
    }

    private double rate(Contender contender) {
        long start = System.nanoTime();
        long calls = 0;
        double seconds;
        do {
            contender.call().run();
            calls++;
            seconds = seconds(start);
        } while (seconds < runSeconds);
        return calls * contender.workPerCall() / seconds;
    }

    private static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) * 1e-9;
    }
}

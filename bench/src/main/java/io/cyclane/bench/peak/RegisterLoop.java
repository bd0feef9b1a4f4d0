package io.cyclane.bench.peak;

import io.cyclane.bench.BenchException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Multiply-adds of vectors that never leave their registers, on some threads at the same time: the
 * most that any product can do here, now. Twelve sums hide the latency of two that begin in each
 * cycle.
 */
public final class RegisterLoop implements AutoCloseable {
    private static final VectorSpecies<Float> F32 = FloatVector.SPECIES_PREFERRED;
    private static final int SUMS = 12;
    private static final int ROUNDS = 200_000;

    private final int threads;
    private final ExecutorService helpers;

    /** Where the sums of all threads end, so that C2 does not leave them out. */
    private volatile float seen;

    /** A loop on so many threads. */
    public RegisterLoop(int threads) {
        this.threads = threads;
        helpers =
                Executors.newFixedThreadPool(
                        Math.max(1, threads - 1), Thread.ofPlatform().daemon().factory());
    }

    /** {@return the floating-point operations of a run, all threads' together} */
    public double flops() {
        return 2.0 * SUMS * F32.length() * ROUNDS * threads;
    }

    /** Runs the loop once, on all threads. */
    public void run() {
        Future<?>[] others = new Future<?>[threads - 1];
        for (int i = 0; i < others.length; i++) {
            others[i] = helpers.submit(() -> seen += multiply(ROUNDS));
        }
        seen += multiply(ROUNDS);
        try {
            for (Future<?> other : others) {
                other.get();
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new BenchException("the register loop was broken off: " + e.getMessage(), e);
        }
    }

    private static float multiply(int rounds) {
        FloatVector x = FloatVector.broadcast(F32, 0.999f);
        FloatVector w = FloatVector.broadcast(F32, 0.5f);
        FloatVector s0 = w;
        FloatVector s1 = w;
        FloatVector s2 = w;
        FloatVector s3 = w;
        FloatVector s4 = w;
        FloatVector s5 = w;
        FloatVector s6 = w;
        FloatVector s7 = w;
        FloatVector s8 = w;
        FloatVector s9 = w;
        FloatVector s10 = w;
        FloatVector s11 = w;
        for (int i = 0; i < rounds; i++) {
            s0 = x.fma(w, s0);
            s1 = x.fma(w, s1);
            s2 = x.fma(w, s2);
            s3 = x.fma(w, s3);
            s4 = x.fma(w, s4);
            s5 = x.fma(w, s5);
            s6 = x.fma(w, s6);
            s7 = x.fma(w, s7);
            s8 = x.fma(w, s8);
            s9 = x.fma(w, s9);
            s10 = x.fma(w, s10);
            s11 = x.fma(w, s11);
        }
        FloatVector some = s0.add(s1).add(s2).add(s3).add(s4).add(s5);
        return some.add(s6).add(s7).add(s8).add(s9).add(s10).add(s11).lane(0);
    }

    @Override
    public void close() {
        helpers.shutdown();
    }
}

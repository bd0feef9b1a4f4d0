package io.cyclane.bench.op;

import io.cyclane.tensor.backend.Binding;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * What a device's own clock says of the calls of an iteration: how long it computed, copies apart,
 * as a secondary result of JMH. Beside it the fewest bytes a call can move, so that a floor can be
 * put under the time. Nothing where no device computes.
 */
public final class DeviceTime implements InternalProfiler {
    /** The label of the mean time of a call. */
    static final String MICROSECONDS = "device-microseconds";

    /** The label of the bytes of a call. */
    static final String BYTES = "bytes";

    /**
     * JMH makes the profiler, and the benchmark runs, in the same process but not by each other.
     */
    private static long nanos;

    private static long runs;
    private static long bytes;

    /** A profiler for JMH to make. */
    public DeviceTime() {}

    /** Notes what a program reads and writes at least, before it runs. */
    static synchronized void begin(long bytesPerRun) {
        bytes = bytesPerRun;
    }

    /** Notes the last run of a binding. */
    static synchronized void add(Binding binding) {
        binding.deviceNanos().ifPresent(DeviceTime::addNanos);
    }

    private static void addNanos(long more) {
        nanos += more;
        runs++;
    }

    @Override
    public String getDescription() {
        return "times of the device's own clock";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        synchronized (DeviceTime.class) {
            nanos = 0;
            runs = 0;
        }
    }

    @Override
    @SuppressWarnings("rawtypes") // as JMH declares it
    public Collection<? extends Result> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        synchronized (DeviceTime.class) {
            List<Result> results = new ArrayList<>();
            if (runs > 0) {
                results.add(
                        new ScalarResult(
                                MICROSECONDS, 1e-3 * nanos / runs, "us/op", AggregationPolicy.AVG));
                results.add(new ScalarResult(BYTES, bytes, "B/op", AggregationPolicy.AVG));
            }
            return results;
        }
    }
}

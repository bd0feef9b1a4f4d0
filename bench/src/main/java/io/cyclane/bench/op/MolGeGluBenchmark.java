package io.cyclane.bench.op;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A mixture of 8 low-rank updates of rank 16, 2 for each row at random, in a gated feed-forward
 * layer with its residual: rows x width x hidden. {@link MolLayer} tells the work of a call;
 * GFLOP/s are those of the plain layer.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 12, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class MolGeGluBenchmark {
    /** The sizes of the layer. */
    @Param({"16x768x1152", "128x768x1152", "16x768x2624", "128x768x2624", "128x1024x5248"})
    public String layer = "";

    private OneOp mol;

    /** A state for JMH to fill. */
    public MolGeGluBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        MolLayer of = MolLayer.of(layer);
        mol = MolLayer.routed(of.scaled(backend.open(of::mixture)));
    }

    /** One call. */
    @Benchmark
    public void molGeGlu() {
        mol.run();
    }
}

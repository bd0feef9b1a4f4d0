package io.cyclane.bench.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Combine;
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
 * The sum of 2 rows for each row of the result, [rows, width], weighted by their gates.
 *
 * <p>A call reads 8 rows width bytes and writes half as many.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 8, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class CombineBenchmark {
    /** Rows of the result. */
    @Param({"16", "384"})
    public int rows;

    /** Columns of the result. */
    @Param({"768", "1024"})
    public int width;

    private OneOp combine;

    /** A state for JMH to fill. */
    public CombineBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        combine =
                backend.open(g ->
                        g.first(
                                new Combine(),
                                g.input("gates", Type.f32(Shape.of(rows, MolLayer.CHOICES))),
                                g.input("x", Type.f32(Shape.of(rows, MolLayer.CHOICES, width)))));
    }

    /** One call. */
    @Benchmark
    public void combine() {
        combine.run();
    }
}

package io.cyclane.bench.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Softmax;
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
 * Softmax over each row of x [rows, width].
 *
 * <p>A call reads and writes 4 rows width bytes each, with an exponential an element.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class SoftmaxBenchmark {
    /** Rows of x. */
    @Param({"1", "16", "128", "384", "1024", "4096"})
    public int rows;

    /** Columns of x. */
    @Param({"128", "512", "30522"})
    public int width;

    private OneOp softmax;

    /** A state for JMH to fill. */
    public SoftmaxBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        softmax =
                backend.open(
                        g -> g.first(new Softmax(), g.input("x", Type.f32(Shape.of(rows, width)))));
    }

    /** One call. */
    @Benchmark
    public void softmax() {
        softmax.run();
    }
}

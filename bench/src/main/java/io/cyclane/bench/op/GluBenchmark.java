package io.cyclane.bench.op;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Glu;
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
 * A gate over x [rows, 2 width].
 *
 * <p>A call reads 8 rows width bytes and writes half as many.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class GluBenchmark {
    /** The function of the gate. */
    @Param({"GELU", "SILU"})
    public Activation function = Activation.GELU;

    /** Rows of x. */
    @Param({"1", "16", "128", "384", "1024", "4096"})
    public int rows;

    /** Columns of the result. */
    @Param({"1152", "2624"})
    public int width;

    private OneOp glu;

    /** A state for JMH to fill. */
    public GluBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        glu =
                backend.open(g ->
                        g.first(
                                new Glu(function),
                                g.input("x", Type.f32(Shape.of(rows, 2 * width)))));
    }

    /** One call. */
    @Benchmark
    public void glu() {
        glu.run();
    }
}

package io.cyclane.bench.op;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.LayerNorm;
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
 * Layer normalisation with a bias of x [rows, width].
 *
 * <p>A call reads and writes 4 rows width bytes each; 8 floating-point operations an element.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class LayerNormBenchmark {
    /** Rows of x. */
    @Param({"1", "16", "128", "384", "1024", "4096"})
    public int rows;

    /** Columns of x. */
    @Param({"384", "768", "1024"})
    public int width;

    private OneOp norm;

    /** A state for JMH to fill. */
    public LayerNormBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        norm =
                backend.open(g ->
                        g.first(
                                new LayerNorm(1e-12f, /* bias */ true),
                                g.input("x", Type.f32(Shape.of(rows, width))),
                                g.parameter(Parameter.of("weight", width)),
                                g.parameter(Parameter.of("bias", width))));
    }

    /** One call. */
    @Benchmark
    public void layerNorm() {
        norm.run();
    }
}

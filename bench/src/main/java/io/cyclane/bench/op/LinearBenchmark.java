package io.cyclane.bench.op;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Linear;
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
 * A dense layer with a bias: x [rows, in] by weight [out, in].
 *
 * <p>A call is 2 rows in out floating-point operations: at 384 rows of 768 to 3072, 1.81 GFLOP.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class LinearBenchmark {
    /** Rows of x. */
    @Param({"1", "16", "128", "384", "1024", "4096"})
    public int rows;

    /** Columns of x and of the result. */
    @Param({
        "384x1152",
        "384x384",
        "384x1536",
        "1536x384",
        "768x3072",
        "3072x768",
        "1152x768",
        "1024x5248",
        "2624x1024"
    })
    public String weight = "";

    private OneOp linear;

    /** A state for JMH to fill. */
    public LinearBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        int in = Integer.parseInt(weight.substring(0, weight.indexOf('x')));
        int out = Integer.parseInt(weight.substring(weight.indexOf('x') + 1));
        linear =
                backend.open(g ->
                        g.first(
                                Linear.plain(/* bias */ true),
                                g.input("x", Type.f32(Shape.of(rows, in))),
                                g.parameter(Parameter.of("weight", out, in)),
                                g.parameter(Parameter.of("bias", out))));
    }

    /** One call. */
    @Benchmark
    public void linear() {
        linear.run();
    }
}

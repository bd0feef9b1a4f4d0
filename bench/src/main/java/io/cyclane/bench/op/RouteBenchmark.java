package io.cyclane.bench.op;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Route;
import java.util.List;
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
 * The choice of 2 experts for each row of x [rows, width].
 *
 * <p>A call is 2 rows width experts floating-point operations, and an exponential for each row and
 * expert.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class RouteBenchmark {
    /** Rows of x. */
    @Param({"1", "16", "128", "384", "1024", "4096"})
    public int rows;

    /** Columns of x. */
    @Param({"768", "1024"})
    public int width;

    /** How many experts there are. */
    @Param("8")
    public int experts;

    private OneOp route;

    /** A state for JMH to fill. */
    public RouteBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        route =
                backend.open(g ->
                        g.apply(
                                        new Route(2, true),
                                        List.of(
                                                g.input("x", Type.f32(Shape.of(rows, width))),
                                                g.parameter(
                                                        Parameter.of("router", experts, width))))
                                .get(1));
    }

    /** One call. */
    @Benchmark
    public void route() {
        route.run();
    }
}

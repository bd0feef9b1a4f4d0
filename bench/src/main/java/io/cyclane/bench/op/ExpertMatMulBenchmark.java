package io.cyclane.bench.op;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.ExpertMatMul;
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
 * The products of each row with 2 of 8 matrices, drawn at random: the two of an adapter. What
 * narrows takes x [rows, in] for both, what widens x [rows, 2, in], a row for each.
 *
 * <p>A call is 4 rows in out floating-point operations and reads 32 in out bytes of weights.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 12, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class ExpertMatMulBenchmark {
    /** Rows of x. */
    @Param({"16", "384"})
    public int rows;

    /** Columns of x and of the result. */
    @Param({"768x192", "192x768"})
    public String weight = "";

    private OneOp products;

    /** A state for JMH to fill. */
    public ExpertMatMulBenchmark() {}

    /** Compiles the operation. */
    @Setup
    public void open(BenchmarkBackend backend) {
        int in = Integer.parseInt(weight.substring(0, weight.indexOf('x')));
        int out = Integer.parseInt(weight.substring(weight.indexOf('x') + 1));
        Shape x = in > out ? Shape.of(rows, in) : Shape.of(rows, MolLayer.CHOICES, in);
        products =
                MolLayer.routed(
                        backend.open(g ->
                                g.first(
                                        new ExpertMatMul(1, /* base */ false),
                                        g.input("x", Type.f32(x)),
                                        g.input(
                                                "experts",
                                                Type.i32(Shape.of(rows, MolLayer.CHOICES))),
                                        g.parameter(
                                                Parameter.of(
                                                        "weight", MolLayer.EXPERTS, out, in)))));
    }

    /** One call. */
    @Benchmark
    public void expertMatMul() {
        products.run();
    }
}

package io.cyclane.bench.op;

import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Attention;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
 * Attention among texts of equal length, 12 heads.
 *
 * <p>A call is 4 texts tokens^2 heads headWidth floating-point operations and texts tokens^2 heads
 * exponentials: 1.61 GFLOP for 4 texts of 512 tokens, heads of 32. With a window w, tokens^2
 * becomes about tokens (2 w + 1).
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class AttentionBenchmark {
    private static final int HEADS = 12;

    /** Texts x tokens of each. */
    @Param({"1x16", "8x128", "4x512"})
    public String texts = "";

    /** Columns of a head. */
    @Param({"32", "64"})
    public int headWidth;

    /** How far a token sees to each side, 0 for everything. */
    @Param({"0", "64"})
    public int window;

    private OneOp attention;

    /** A state for JMH to fill. */
    public AttentionBenchmark() {}

    /** Compiles the operation and lays the texts end to end. */
    @Setup
    public void open(BenchmarkBackend backend) {
        int count = Integer.parseInt(texts.substring(0, texts.indexOf('x')));
        int tokens = Integer.parseInt(texts.substring(texts.indexOf('x') + 1));
        Extent.Bounded rows = new Extent.Bounded("tokens", count * tokens);
        Extent.Bounded sequences = new Extent.Bounded("sequences", count);
        Type type = Type.f32(Shape.of(rows, Extent.of(HEADS * headWidth)));
        Type borders = Type.i32(Shape.of(new Extent.Borders(sequences)));
        float scale = (float) (1 / Math.sqrt(headWidth));
        attention =
                backend.open(g ->
                        g.first(
                                new Attention(HEADS, scale, window),
                                g.input("query", type),
                                g.input("key", type),
                                g.input("value", type),
                                g.input("offsets", borders)));
        attention.count(rows.name(), rows.bound());
        attention.count(sequences.name(), count);
        MemorySegment offsets = attention.input("offsets");
        for (int s = 0; s <= count; s++) {
            offsets.setAtIndex(ValueLayout.JAVA_INT, s, s * tokens);
        }
    }

    /** One call. */
    @Benchmark
    public void attention() {
        attention.run();
    }
}

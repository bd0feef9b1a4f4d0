package io.cyclane.bench.op;

import io.cyclane.bench.encoder.BatchShape;
import io.cyclane.bench.encoder.Subject;
import io.cyclane.model.Capacity;
import io.cyclane.model.Encoder;
import io.cyclane.model.Placement;
import io.cyclane.model.text.TokenBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * An encoder from token ids to vectors in the caller's memory. With JMH's {@code -prof gc} it shows
 * the bytes that a call allocates on the heap, which should be none.
 *
 * <p>A token of MiniLM is about 21 MFLOP in dense layers, and 9 kFLOP in attention for each token
 * that it sees.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 8, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class EncoderBenchmark {
    /** {@code minilm}, random weights of the shape of a public model, or a model's folder. */
    @Param("minilm")
    public String model = "minilm";

    /** A backend's name, or {@code auto} or {@code both}. */
    @Param("cpu")
    public String backend = "cpu";

    /**
     * Texts x tokens of each; several such batches, joined by {@code +}, go one after the other.
     */
    @Param({"1x16", "8x128"})
    public String texts = "";

    private Encoder encoder;
    private List<TokenBatch> batches;
    private Arena arena;
    private MemorySegment vectors;

    /** A state for JMH to fill. */
    public EncoderBenchmark() {}

    /** Loads the model. */
    @Setup
    public void open() {
        List<BatchShape> shapes = BatchShape.each(texts);
        Capacity largest =
                new Capacity(
                        shapes.stream().mapToInt(BatchShape::tokens).max().orElseThrow(),
                        shapes.stream()
                                .mapToInt(shape -> shape.lengths().size())
                                .max()
                                .orElseThrow());
        Subject.useModel(
                model,
                nameOrPath ->
                        encoder =
                                Encoder.builder(nameOrPath)
                                        .placement(Placement.named(backend))
                                        .capacity(largest)
                                        .load());
        batches = shapes.stream().map(BatchShape::batch).toList();
        arena = Arena.ofShared();
        vectors = arena.allocate(4L * largest.sequences() * encoder.dimension(), 64);
    }

    /** One call. */
    @Benchmark
    public void embed() {
        for (TokenBatch batch : batches) {
            encoder.embed(batch, vectors);
        }
    }

    /** Frees the model. */
    @TearDown
    public void close() {
        encoder.close();
        arena.close();
    }
}

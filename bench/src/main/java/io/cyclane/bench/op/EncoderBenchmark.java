package io.cyclane.bench.op;

import io.cyclane.bench.encoder.BatchShape;
import io.cyclane.model.Encoder;
import io.cyclane.model.text.TokenBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
 * MiniLM from token ids to vectors in the caller's memory. With JMH's {@code -prof gc} it shows the
 * bytes that a call allocates on the heap, which should be none.
 *
 * <p>A token is about 21 MFLOP in dense layers, and 9 kFLOP in attention for each token that it
 * sees.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 8, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsAppend = "-Dcyclane.threads=1")
public class EncoderBenchmark {
    /** Texts x tokens of each. */
    @Param({"1x16", "8x128"})
    public String texts = "";

    private Encoder encoder;
    private TokenBatch batch;
    private Arena arena;
    private MemorySegment vectors;

    /** A state for JMH to fill. */
    public EncoderBenchmark() {}

    /** Loads the model. */
    @Setup
    public void open() {
        BatchShape shape = BatchShape.of(texts);
        encoder = Encoder.builder("minilm").backend("cpu").capacity(shape.capacity()).load();
        batch = shape.batch();
        arena = Arena.ofShared();
        vectors = arena.allocate(4L * batch.sequences() * encoder.dimension(), 64);
    }

    /** One call. */
    @Benchmark
    public void embed() {
        encoder.embed(batch, vectors);
    }

    /** Frees the model. */
    @TearDown
    public void close() {
        encoder.close();
        arena.close();
    }
}

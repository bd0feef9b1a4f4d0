package io.cyclane.bench.op;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.cyclane.bench.BenchException;
import io.cyclane.bench.encoder.RealTexts;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Passages of an encyclopedia to token ids, one after the other: special tokens around each,
 * nothing cut, nothing padded. An operation is one passage, so that JMH's {@code -prof gc} shows
 * the bytes that a text takes on the heap.
 *
 * <p>Contenders, all of which give the same ids, which is checked first: {@code ids}, our hot path,
 * into a batch that is reused; {@code places}, ours with spellings and offsets, as the peer gives
 * them; {@code djl}, Hugging Face's tokenizers (Rust) as DJL calls them, whose Java objects hold
 * ids, spellings, offsets and masks, for it has no form with less.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Dai.djl.offline=true", "-DOPT_OUT_TRACKING=true"})
@OperationsPerInvocation(TokenizerBenchmark.TEXTS)
public class TokenizerBenchmark {
    /** Passages a call. */
    static final int TEXTS = 1000;

    /** WordPiece and byte-level BPE; as {@link TokenizerFile} reads names. */
    @Param({"minilm", "modernbert"})
    public String tokenizer = "";

    /** Who does it. */
    @Param({"ids", "places", "djl"})
    public String contender = "";

    private List<String> texts = List.of();
    private Tokenizer ours;
    private HuggingFaceTokenizer theirs;
    private final TokenBatch batch = new TokenBatch();

    /** A state for JMH to fill. */
    public TokenizerBenchmark() {}

    /** Reads the file and compares the ids. */
    @Setup
    public void open() throws IOException {
        texts = texts();
        byte[] json = TokenizerFile.read(tokenizer);
        ours = Tokenizer.fromJson(json);
        theirs =
                HuggingFaceTokenizer.newInstance(
                        new ByteArrayInputStream(json),
                        Map.of(
                                "addSpecialTokens", "true",
                                "truncation", "false",
                                "padding", "false"));
        for (String text : texts) {
            int[] ids = ours.encode(text, Tokenizer.NO_LIMIT).ids();
            long[] expected = theirs.encode(text).getIds();
            batch.clear();
            ours.encode(text, Tokenizer.NO_LIMIT, batch);
            boolean isSame =
                    Arrays.equals(Arrays.stream(ids).asLongStream().toArray(), expected)
                            && Arrays.equals(ids, Arrays.copyOf(batch.ids(), batch.tokens()));
            if (!isSame) {
                throw new BenchException(
                        "%s: other ids than the peer's for '%s'".formatted(tokenizer, text));
            }
        }
    }

    /** {@return the texts of a call} */
    static List<String> texts() {
        return RealTexts.find().passages(TEXTS);
    }

    /** All texts once. */
    @Benchmark
    public void tokenize(Blackhole sink) {
        switch (contender) {
            case "ids" -> {
                batch.clear();
                for (String text : texts) {
                    ours.encode(text, Tokenizer.NO_LIMIT, batch);
                }
                sink.consume(batch.ids());
            }
            case "places" -> {
                for (String text : texts) {
                    sink.consume(ours.encode(text, Tokenizer.NO_LIMIT));
                }
            }
            case "djl" -> {
                for (String text : texts) {
                    sink.consume(theirs.encode(text));
                }
            }
            default -> throw new BenchException("contender '" + contender + "': ids, places, djl");
        }
    }

    /** Frees the peer. */
    @TearDown
    public void close() {
        theirs.close();
    }
}

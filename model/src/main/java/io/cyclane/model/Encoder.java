package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.memory.MemoryPlan;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.memory.PlanOptions;
import io.cyclane.tensor.program.Program;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Turns texts into vectors.
 *
 * <pre>{@code
 * try (Encoder encoder = Encoder.load("minilm")) {
 *     float[][] vectors = encoder.embed(List.of("a cat on a rug", "interest rates rose"));
 * }
 * }</pre>
 *
 * <p>Thread-safe: callers share a number of sessions (1 unless asked for more) and wait in order. A
 * text's vector depends on nothing but the text: not on its neighbours, the threads or the session.
 * {@link #close} refuses new calls, waits for those under way and frees all memory; every later
 * call throws {@link IllegalStateException}. An encoder that is dropped without being closed is
 * freed when the garbage collector finds it, with a warning that names where it was loaded.
 */
public final class Encoder implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Encoder.class.getName());
    private static final Cleaner CLEANER = Cleaner.create();

    private final TextModel model;
    private final Tokenizer tokenizer;
    private final EncoderEngine engine;
    private final Capacity capacity;
    private final int maxTokens;
    private final ArrayBlockingQueue<Staging> stagings = new ArrayBlockingQueue<>(16);
    private final Leak leak;
    private final Cleaner.Cleanable cleanable;

    private Encoder(
            TextModel model,
            Tokenizer tokenizer,
            EncoderEngine engine,
            Capacity capacity,
            int maxTokens) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.engine = engine;
        this.capacity = capacity;
        this.maxTokens = maxTokens;
        this.leak = new Leak(engine, new Throwable("the encoder was loaded here"));
        this.cleanable = CLEANER.register(this, leak);
    }

    /**
     * Loads a model with the settings most want: the best backend there is, one session.
     *
     * @param nameOrPath an alias such as {@code minilm}, or a folder with {@code config.json},
     *     safetensors and a tokenizer
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, it is damaged or
     *     unknown, or no backend can run
     */
    public static Encoder load(String nameOrPath) {
        return builder(nameOrPath).load();
    }

    /** Loads a model from its folder, with the settings most want. */
    public static Encoder load(Path folder) {
        return load(folder.toString());
    }

    /** {@return a builder for a model with other settings} */
    public static Builder builder(String nameOrPath) {
        return new Builder(nameOrPath);
    }

    /** {@return the vector of a text} */
    public float[] embed(String text) {
        return embed(List.of(text))[0];
    }

    /**
     * {@return the vectors of texts, in their order} Any number of them: they are run in batches of
     * the capacity.
     */
    public float[][] embed(List<String> texts) {
        return run(texts).vectors();
    }

    /** {@return the vectors of texts, with what was read of them} */
    public Embeddings run(List<String> texts) {
        Staging staging = stagings.poll();
        if (staging == null) {
            staging = new Staging();
        }
        float[][] vectors = new float[texts.size()][];
        int[] tokens = new int[texts.size()];
        int truncated = 0;
        try {
            staging.batch.clear();
            int done = 0;
            for (int i = 0; i < vectors.length; i++) {
                String text = Objects.requireNonNull(texts.get(i), "a text is null");
                staging.next.clear();
                tokens[i] = tokenizer.encode(text, maxTokens, staging.next);
                truncated += staging.next.truncated();
                if (!fits(staging.batch, tokens[i])) {
                    done = flush(staging.batch, vectors, done);
                }
                staging.batch.append(staging.next);
            }
            flush(staging.batch, vectors, done);
        } finally {
            stagings.offer(staging);
            Reference.reachabilityFence(this);
        }
        return new Embeddings(vectors, tokens, truncated, engine.backend().description());
    }

    private boolean fits(TokenBatch batch, int tokens) {
        return batch.tokens() + tokens <= capacity.tokens()
                && batch.sequences() < capacity.sequences();
    }

    private int flush(TokenBatch batch, float[][] vectors, int done) {
        int sequences = batch.sequences();
        if (sequences == 0) {
            return done;
        }
        Lane lane = engine.take();
        try {
            lane.run(batch, 0, sequences);
            for (int s = 0; s < sequences; s++) {
                vectors[done + s] = new float[dimension()];
                lane.read(s, vectors[done + s]);
            }
        } finally {
            engine.give(lane);
        }
        batch.clear();
        return done + sequences;
    }

    /**
     * Writes the vectors of token sequences to the caller's memory, F32 [sequences, dimension], in
     * order. Allocates nothing on the heap.
     *
     * @throws CapacityException when a sequence is longer than this encoder reads
     * @throws IndexOutOfBoundsException when {@code to} is too small
     */
    public void embed(TokenBatch batch, MemorySegment to) {
        Objects.checkFromIndexSize(0, vectorBytes(batch), to.byteSize());
        for (int from = 0; from < batch.sequences(); ) {
            int end = endOfRun(batch, from);
            Lane lane = engine.take();
            try {
                lane.run(batch, from, end);
                lane.read(end - from, to, (long) from * dimension() * Float.BYTES);
            } finally {
                engine.give(lane);
            }
            from = end;
        }
        Reference.reachabilityFence(this);
    }

    /**
     * Writes the vectors of token sequences to the caller's Agrona buffer from {@code index} on, as
     * the form for memory segments does. Agrona needs {@code --add-opens
     * java.base/jdk.internal.misc=ALL-UNNAMED}.
     */
    public void embed(TokenBatch batch, MutableDirectBuffer to, int index) {
        Objects.checkFromIndexSize(index, vectorBytes(batch), (long) to.capacity());
        int at = index;
        for (int from = 0; from < batch.sequences(); ) {
            int end = endOfRun(batch, from);
            int bytes = (end - from) * dimension() * Float.BYTES;
            Lane lane = engine.take();
            try {
                lane.run(batch, from, end);
                to.putBytes(at, lane.agronaVectors(), 0, bytes);
            } finally {
                engine.give(lane);
            }
            at += bytes;
            from = end;
        }
        Reference.reachabilityFence(this);
    }

    private long vectorBytes(TokenBatch batch) {
        return (long) batch.sequences() * dimension() * Float.BYTES;
    }

    /** The longest row of sequences from here that fits one run. */
    private int endOfRun(TokenBatch batch, int from) {
        int end = from;
        int tokens = 0;
        while (end < batch.sequences() && end - from < capacity.sequences()) {
            int length = batch.length(end);
            if (length > Math.min(capacity.tokens(), model.encoder().positions())) {
                throw new CapacityException(
                        "sequence %d has %d tokens, this encoder reads at most %d: cut it"
                                .formatted(
                                        end,
                                        length,
                                        Math.min(capacity.tokens(), model.encoder().positions())));
            }
            if (tokens + length > capacity.tokens()) {
                break;
            }
            tokens += length;
            end++;
        }
        return end;
    }

    /** Appends a text's tokens to a batch, cut at this encoder's limit. */
    public int tokenize(CharSequence text, TokenBatch batch) {
        return tokenizer.encode(text, maxTokens, batch);
    }

    /** {@return the width of a vector} */
    public int dimension() {
        return model.encoder().width();
    }

    /** {@return the model's tokenizer} */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** {@return what the model is, and the memory it takes} */
    public ModelInfo info() {
        Program program = engine.executable().program();
        return new ModelInfo(
                model.encoder().architecture(),
                program.parameters().values().stream().mapToLong(p -> p.shape().elements()).sum(),
                model.encoder().stack().unrolledDepth(),
                model.rounds(),
                "F32",
                dimension(),
                maxTokens,
                model.pooling() + (model.normalize() ? ", length 1" : ""),
                engine.backend().description(),
                engine.weights().residentBytesByLayout(),
                engine.sessionBytes(),
                engine.sessions());
    }

    /** {@return the memory that runs of a capacity take, worked out without loading a weight} */
    public static PlanReport plan(String nameOrPath, Capacity capacity) {
        TextModel model = TextModel.open(nameOrPath);
        try (Backend backend = Backends.open()) {
            Program lowered = backend.lower(model.embedding(capacity));
            MemoryPlan plan = MemoryPlanner.shared().plan(lowered, PlanOptions.DEFAULT);
            Map<String, Long> weights = backend.weightBytes(lowered);
            return new PlanReport(
                    plan.totalBytes(),
                    plan.peakLiveBytes(),
                    weights.values().stream().mapToLong(Long::longValue).sum(),
                    model.rounds(),
                    plan.explain());
        }
    }

    @Override
    public void close() {
        leak.isClosed = true;
        cleanable.clean();
    }

    /** Where texts of a call become tokens. */
    private static final class Staging {
        private final TokenBatch batch = new TokenBatch();
        private final TokenBatch next = new TokenBatch();
    }

    /** Frees what an encoder held; says so when nobody closed it. */
    private static final class Leak implements Runnable {
        private final EncoderEngine engine;
        private final Throwable loaded;
        private volatile boolean isClosed;

        Leak(EncoderEngine engine, Throwable loaded) {
            this.engine = engine;
            this.loaded = loaded;
        }

        @Override
        public void run() {
            if (!isClosed) {
                LOG.log(
                        Level.WARNING,
                        "an encoder was dropped without being closed: close it, or use try with resources",
                        loaded);
            }
            engine.close();
        }
    }

    /** Settings for an encoder. */
    public static final class Builder {
        /** A run's most tokens and sequences, unless asked for others. */
        public static final Capacity DEFAULT_CAPACITY = new Capacity(4096, 64);

        private final String nameOrPath;
        private @Nullable String backend;
        private @Nullable Capacity capacity;
        private int maxTokens;
        private int sessions = 1;

        private Builder(String nameOrPath) {
            this.nameOrPath = nameOrPath;
        }

        /** Names the backend: cpu, gpu, reference. */
        public Builder backend(String name) {
            backend = name;
            return this;
        }

        /**
         * Sets the largest batch: memory is planned for it, and longer lists of texts are run in
         * several.
         */
        public Builder capacity(Capacity largest) {
            capacity = largest;
            return this;
        }

        /**
         * Sets how many tokens of a text are read, special ones counted, instead of the model's own
         * choice.
         */
        public Builder maxTokens(int most) {
            if (most < 1) {
                throw new IllegalArgumentException(
                        "at least 1 token of a text is read, not " + most);
            }
            maxTokens = most;
            return this;
        }

        /** Sets how many callers are served at a time, each with an arena of its own. */
        public Builder sessions(int count) {
            if (count < 1) {
                throw new IllegalArgumentException(
                        "an encoder has at least 1 session, not " + count);
            }
            sessions = count;
            return this;
        }

        /**
         * Loads the model.
         *
         * @throws io.cyclane.tensor.CyclaneException as {@link Encoder#load(String)} says
         */
        public Encoder load() {
            TextModel model = TextModel.open(nameOrPath);
            int limit = maxTokens == 0 ? model.maxTokens() : maxTokens;
            if (limit > model.encoder().positions()) {
                throw new CapacityException(
                        "%d tokens of a text were asked for, model '%s' reads at most %d"
                                .formatted(limit, nameOrPath, model.encoder().positions()));
            }
            Capacity largest =
                    capacity != null
                            ? capacity
                            : new Capacity(
                                    Math.max(DEFAULT_CAPACITY.tokens(), limit),
                                    DEFAULT_CAPACITY.sequences());
            int readable = Math.min(limit, largest.tokens());
            Tokenizer tokenizer = Tokenizer.load(model.folder().path());
            Backend opened = backend == null ? Backends.open() : Backends.open(backend);
            EncoderEngine engine = new EncoderEngine(opened, model, largest, sessions);
            return new Encoder(model, tokenizer, engine, largest, readable);
        }
    }
}

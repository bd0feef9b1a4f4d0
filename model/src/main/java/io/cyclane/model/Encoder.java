package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.model.text.TokenizerReading;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.InputException;
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
 *
 * <p>A thread that is interrupted while it waits for a session gets an {@link
 * IllegalStateException} and stays interrupted.
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
            String name,
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
        this.leak = new Leak(engine, name, new Throwable("the encoder was loaded here"));
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

    /** Loads a model from its folder, whatever its name, with the settings most want. */
    public static Encoder load(Path folder) {
        // Absolute, so that a folder called like an alias is still the folder.
        return load(folder.toAbsolutePath().toString());
    }

    /** {@return a builder for a model with other settings} */
    public static Builder builder(String nameOrPath) {
        return new Builder(nameOrPath);
    }

    /** {@return the vector of a text} */
    public float[] embed(String text) {
        Objects.requireNonNull(text, "the text is null");
        return embed(List.of(text))[0];
    }

    /**
     * {@return the vectors of texts, in their order} Any number of them: they are run in batches of
     * the capacity.
     */
    public float[][] embed(List<String> texts) {
        return run(texts).vectors();
    }

    /**
     * {@return the vectors of texts, with what was read of them}
     *
     * @throws NullPointerException when a text is null, naming its place in the list
     */
    public Embeddings run(List<String> texts) {
        engine.checkOpen();
        Staging staging = stagings.poll();
        if (staging == null) {
            staging = new Staging();
        }
        int count = texts.size();
        float[][] vectors = new float[count][];
        int[] tokens = new int[count];
        int truncated = 0;
        try {
            staging.batch.clear();
            int read = 0;
            int done = 0;
            for (String text : texts) {
                if (text == null) {
                    throw new NullPointerException("text " + read + " of the list is null");
                }
                staging.next.clear();
                tokens[read] = tokenize(text, staging.next);
                truncated += staging.next.truncated();
                if (!fits(staging.batch, tokens[read])) {
                    done = flush(staging.batch, vectors, done);
                }
                staging.batch.append(staging.next);
                read++;
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
        int width = model.encoder().width();
        Lane lane = engine.take();
        try {
            lane.run(batch, 0, sequences);
            for (int s = 0; s < sequences; s++) {
                vectors[done + s] = new float[width];
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
     * order. A sequence of no tokens gives zeros. Allocates nothing on the heap.
     *
     * @throws CapacityException when a sequence is longer than this encoder reads; nothing was
     *     written then
     * @throws InputException when a token id or type is outside the model's tables
     * @throws IndexOutOfBoundsException when {@code to} is too small
     */
    public void embed(TokenBatch batch, MemorySegment to) {
        check(batch, to.byteSize(), 0);
        int sequenceBytes = model.encoder().width() * Float.BYTES;
        for (int from = 0; from < batch.sequences(); ) {
            int end = endOfRun(batch, from);
            Lane lane = engine.take();
            try {
                lane.run(batch, from, end);
                lane.read(end - from, to, (long) from * sequenceBytes);
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
        check(batch, to.capacity(), index);
        int sequenceBytes = model.encoder().width() * Float.BYTES;
        int at = index;
        for (int from = 0; from < batch.sequences(); ) {
            int end = endOfRun(batch, from);
            int bytes = (end - from) * sequenceBytes;
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

    /** Checks all that can be wrong before anything is written. */
    private void check(TokenBatch batch, long lengthBytes, long offset) {
        engine.checkOpen();
        long vectorBytes = (long) batch.sequences() * model.encoder().width() * Float.BYTES;
        Objects.checkFromIndexSize(offset, vectorBytes, lengthBytes);
        int most = Math.min(capacity.tokens(), model.encoder().positions());
        for (int s = 0; s < batch.sequences(); s++) {
            if (batch.length(s) > most) {
                throw new CapacityException(
                        "sequence %d has %d tokens, this encoder reads at most %d: cut it"
                                .formatted(s, batch.length(s), most));
            }
        }
    }

    /** Where the longest row of sequences ends that starts here and fits one run. */
    private int endOfRun(TokenBatch batch, int from) {
        int end = from;
        int tokens = 0;
        while (end < batch.sequences()
                && end - from < capacity.sequences()
                && tokens + batch.length(end) <= capacity.tokens()) {
            tokens += batch.length(end);
            end++;
        }
        return end;
    }

    /**
     * Appends a text's tokens to a batch, cut at this encoder's limit, as {@link #run} reads them.
     *
     * @return the number of its tokens
     */
    public int tokenize(String text, TokenBatch batch) {
        engine.checkOpen();
        return tokenizer.encode(model.prepared(text), maxTokens, batch);
    }

    /** {@return the width of a vector} */
    public int dimension() {
        engine.checkOpen();
        return model.encoder().width();
    }

    /** {@return the model's tokenizer} */
    public Tokenizer tokenizer() {
        engine.checkOpen();
        return tokenizer;
    }

    /** {@return what the model is, and the memory it takes} */
    public ModelInfo info() {
        engine.checkOpen();
        Program program = engine.executable().program();
        return new ModelInfo(
                model.encoder().architecture(),
                program.parameters().values().stream().mapToLong(p -> p.shape().elements()).sum(),
                model.encoder().stack().unrolledDepth(),
                model.rounds(),
                "F32",
                model.encoder().width(),
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
        private final String name;
        private final Throwable loaded;
        private volatile boolean isClosed;

        Leak(EncoderEngine engine, String name, Throwable loaded) {
            this.engine = engine;
            this.name = name;
            this.loaded = loaded;
        }

        @Override
        public void run() {
            if (!isClosed) {
                LOG.log(
                        Level.WARNING,
                        "an encoder of '"
                                + name
                                + "' was dropped without being closed: close it, or use try with resources",
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
            TokenizerReading reading = TokenizerReading.start(model.folder().path());
            EncoderEngine engine = engine(model, largest);
            boolean fits = false;
            try {
                Tokenizer tokenizer = reading.result();
                checkTokenizer(tokenizer, model, readable);
                fits = true;
                return new Encoder(nameOrPath, model, tokenizer, engine, largest, readable);
            } finally {
                if (!fits) {
                    engine.close();
                }
            }
        }

        private EncoderEngine engine(TextModel model, Capacity largest) {
            Backend opened = backend == null ? Backends.open() : Backends.open(backend);
            return new EncoderEngine(opened, model, largest, sessions);
        }

        private void checkTokenizer(Tokenizer tokenizer, TextModel model, int readable) {
            if (readable < tokenizer.specials(false)) {
                throw new CapacityException(
                        "%d tokens of a text would be read, but '%s' adds %d to every text: raise maxTokens or the capacity"
                                .formatted(readable, nameOrPath, tokenizer.specials(false)));
            }
            if (tokenizer.vocabularySize() > model.encoder().vocabulary()) {
                throw new CheckpointException(
                        "model '%s': its tokenizer has %d tokens, its word table %d rows: they do not belong together"
                                .formatted(
                                        nameOrPath,
                                        tokenizer.vocabularySize(),
                                        model.encoder().vocabulary()));
            }
        }
    }
}

package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.tensor.Parameter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model open for one or several tasks: one packed copy of its weights, whatever number of heads
 * read them, and sessions whose one arena serves every task.
 *
 * <pre>{@code
 * try (LoadedModel model = ModelLoader.of(folder).open(Task.EMBEDDING, Task.CLASSIFICATION)) {
 *     float[] vector = model.encoder().embed("a cat on a rug");
 *     List<Label> labels = model.classifier().classify("what a film");
 * }
 * }</pre>
 *
 * <p>Thread-safe: callers of all its facades share a number of sessions and wait in order. {@link
 * #close} refuses new calls, waits for those under way and frees all memory; every later call
 * throws {@link IllegalStateException}. A model that is dropped without being closed is freed when
 * the garbage collector finds it, with a warning that names where it was loaded.
 */
public final class LoadedModel implements AutoCloseable {
    private static final Logger LOG = System.getLogger(LoadedModel.class.getName());

    /** How many batches of a list that is dealt to two backends fill the capacity of one. */
    private static final int SHARES = 4;

    private static final Cleaner CLEANER = Cleaner.create();

    private final TextModel model;
    private final TextReader reader;
    private final TextReader embeddingReader;
    private final Engines engines;
    private final Capacity capacity;
    private final @Nullable LongTexts longTexts;
    private final ArrayBlockingQueue<Staging> stagings = new ArrayBlockingQueue<>(16);
    private final Leak leak;
    private final Cleaner.Cleanable cleanable;

    LoadedModel(
            String name,
            TextReader reader,
            TextReader embeddingReader,
            Engines engines,
            Capacity capacity,
            @Nullable LongTexts longTexts) {
        this.model = reader.model();
        this.reader = reader;
        this.embeddingReader = embeddingReader;
        this.engines = engines;
        this.capacity = capacity;
        this.longTexts = longTexts;
        this.leak = new Leak(engines, name, new Throwable("the model was loaded here"));
        this.cleanable = CLEANER.register(this, leak);
    }

    /** {@return the facade for {@link Task#EMBEDDING}} */
    public Encoder encoder() {
        return new Encoder(loadedFor(Task.EMBEDDING));
    }

    /** {@return the facade for {@link Task#CLASSIFICATION}} */
    public Classifier classifier() {
        return new Classifier(loadedFor(Task.CLASSIFICATION));
    }

    /** {@return the facade for {@link Task#TOKEN_CLASSIFICATION}} */
    public TokenClassifier tokenClassifier() {
        return new TokenClassifier(loadedFor(Task.TOKEN_CLASSIFICATION));
    }

    /** {@return the facade for {@link Task#RERANKING}} */
    public Reranker reranker() {
        return new Reranker(loadedFor(Task.RERANKING));
    }

    /** {@return the facade for {@link Task#QUESTION_ANSWERING}} */
    public QuestionAnswerer questionAnswerer() {
        return new QuestionAnswerer(loadedFor(Task.QUESTION_ANSWERING));
    }

    /** {@return the facade for {@link Task#FILL_MASK}} */
    public MaskFiller maskFiller() {
        return new MaskFiller(loadedFor(Task.FILL_MASK));
    }

    private LoadedModel loadedFor(Task task) {
        engine().checkOpen();
        if (!engine().executables().containsKey(task)) {
            throw new IllegalStateException(
                    "the model was loaded for %s, not for %s: name it when the model is opened"
                            .formatted(engine().executables().keySet(), task));
        }
        return this;
    }

    /** {@return the model's tokenizer} */
    public Tokenizer tokenizer() {
        engine().checkOpen();
        return reader.tokenizer();
    }

    /** {@return what the model is, and the memory it takes} */
    public ModelInfo info() {
        engine().checkOpen();
        Set<Parameter> parameters = new LinkedHashSet<>();
        engine().executables()
                .values()
                .forEach(executable ->
                        parameters.addAll(executable.program().parameters().values()));
        parameters.removeIf(parameter -> !model.encoder().isLearnt(parameter));
        return new ModelInfo(
                model.encoder().architecture(),
                parameters.stream().mapToLong(p -> p.shape().elements()).sum(),
                model.encoder().stack().unrolledDepth(),
                model.rounds(),
                dtype(parameters),
                model.encoder().width(),
                onlyEmbeds() ? embeddingReader.maxTokens() : reader.maxTokens(),
                model.pooling() + (model.normalize() ? ", length 1" : ""),
                engines.description(),
                engine().weights().residentBytesByLayout(),
                engine().sessionBytes(),
                engine().sessions());
    }

    /** What a backend stores weights in is what it stores values in. */
    private static String dtype(Set<Parameter> parameters) {
        return parameters.stream()
                .map(parameter -> parameter.type().dtype().name())
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private boolean onlyEmbeds() {
        return engine().executables().keySet().equals(Set.of(Task.EMBEDDING));
    }

    TextModel text() {
        return model;
    }

    /** {@return what reads texts for tasks with a head} */
    TextReader reader() {
        return reader;
    }

    /** {@return what reads texts to be embedded: there a model may have a limit of its own} */
    TextReader embeddingReader() {
        return embeddingReader;
    }

    /** {@return the engine that what is asked about the model is asked of} */
    Engine engine() {
        return engines.first();
    }

    Engines engines() {
        return engines;
    }

    Capacity capacity() {
        return capacity;
    }

    /** {@return what becomes of long texts, unless the caller said} */
    LongTexts longTexts(LongTexts otherwise) {
        return longTexts == null ? otherwise : longTexts;
    }

    /** Puts the sequences of a text, or of a pair, into an empty batch. */
    interface Source {
        void read(int item, TokenBatch to);
    }

    /** Takes what a run gave for one sequence of a batch, which is of this item. */
    interface Sink {
        void take(Rows rows, TokenBatch batch, int sequence, int item);
    }

    /**
     * Runs a task on so many items, packed into batches of the capacity.
     *
     * @return what was read of them
     */
    Reading run(Task task, int items, Source source, Sink sink) {
        engine().checkOpen();
        Staging staging = stagings.poll();
        if (staging == null) {
            staging = new Staging();
        }
        Landing landing = new Landing(new Reading(items), sink);
        TokenBatch batch = staging.batch;
        TokenBatch next = staging.next;
        try (Course course =
                engines.isSplit()
                        ? new Dealer(engines, task, landing)
                        : new Pipeline(engines, task, landing)) {
            batch.clear();
            for (int item = 0; item < items; item++) {
                next.clear();
                source.read(item, next);
                landing.reading.add(item, next.sequences(), next.tokens(), next.truncated() > 0);
                for (int s = 0; s < next.sequences(); s++) {
                    if (!fits(batch, next.length(s))) {
                        send(batch, course);
                    }
                    batch.append(next, s);
                }
            }
            send(batch, course);
            course.finish();
        } finally {
            stagings.offer(staging);
            Reference.reachabilityFence(this);
        }
        return landing.reading;
    }

    private boolean fits(TokenBatch batch, int tokens) {
        // Of a list that is dealt out there must be batches enough to deal.
        int most = engines.isSplit() ? capacity.tokens() / SHARES : capacity.tokens();
        return (batch.tokens() == 0 || batch.tokens() + tokens <= most)
                && batch.tokens() + tokens <= capacity.tokens()
                && batch.sequences() < capacity.sequences();
    }

    private static void send(TokenBatch batch, Course course) {
        if (batch.sequences() > 0) {
            course.run(batch);
            batch.clear();
        }
    }

    /** Hands on what batches gave, which come in the list's order. */
    private static final class Landing implements Course.Taker {
        private final Reading reading;
        private final Sink sink;
        private int done;

        Landing(Reading reading, Sink sink) {
            this.reading = reading;
            this.sink = sink;
        }

        @Override
        public void take(Rows rows, TokenBatch batch, int place) {
            reading.ran(place, batch.sequences());
            for (int s = 0; s < batch.sequences(); s++) {
                sink.take(rows, batch, s, reading.item(done + s));
            }
            done += batch.sequences();
        }
    }

    /** Closes the model with all its facades. A second close does nothing. */
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

    /** Frees what a model held; says so when nobody closed it. */
    private static final class Leak implements Runnable {
        private final Engines engines;
        private final String name;
        private final Throwable loaded;
        private volatile boolean isClosed;

        Leak(Engines engines, String name, Throwable loaded) {
            this.engines = engines;
            this.name = name;
            this.loaded = loaded;
        }

        @Override
        public void run() {
            if (!isClosed) {
                LOG.log(
                        Level.WARNING,
                        "model '"
                                + name
                                + "' was dropped without being closed: close it, or use try with resources",
                        loaded);
            }
            engines.close();
        }
    }
}

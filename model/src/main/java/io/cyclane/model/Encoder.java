package io.cyclane.model;

import io.cyclane.model.text.TokenBatch;
import io.cyclane.model.text.Tokenizer;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.backend.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.agrona.MutableDirectBuffer;

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
 * {@link #close} closes the model, as {@link LoadedModel#close} says; an encoder that is dropped
 * without being closed is freed when the garbage collector finds it, with a warning that names
 * where it was loaded.
 *
 * <p>A thread that is interrupted while it waits for a session gets an {@link
 * IllegalStateException} and stays interrupted.
 */
public final class Encoder implements AutoCloseable {
    private final LoadedModel model;
    private final Engines engines;
    private final Capacity capacity;
    private final int width;

    /** The longest sequence in tokens. */
    private final int mostTokens;

    Encoder(LoadedModel model) {
        this.model = model;
        this.engines = model.engines();
        this.capacity = model.capacity();
        this.width = model.text().encoder().width();
        this.mostTokens = Math.min(capacity.tokens(), model.text().encoder().positions());
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
        return ModelLoader.of(folder).open(Task.EMBEDDING).encoder();
    }

    /** {@return a builder for a model with other settings} */
    public static Builder builder(String nameOrPath) {
        return new Builder(ModelLoader.of(nameOrPath));
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
        LongTexts longTexts = model.longTexts(LongTexts.TRUNCATE);
        Means means = new Means(texts.size(), model.text().normalize());
        Iterator<String> rest = texts.iterator();
        Reading reading =
                model.run(
                        Task.EMBEDDING,
                        texts.size(),
                        (item, to) -> read(text(rest, item), longTexts, to),
                        (window, batch, s, item) ->
                                means.add(item, window.row(s), batch.length(s)));
        return new Embeddings(
                means.vectors(),
                reading.tokens(),
                reading.truncated(),
                reading.chunked(),
                reading.backend(engines));
    }

    private static String text(Iterator<String> texts, int item) {
        String text = texts.next();
        if (text == null) {
            throw new NullPointerException("text " + item + " of the list is null");
        }
        return text;
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
        int sequenceBytes = width * Float.BYTES;
        for (int from = 0; from < batch.sequences(); ) {
            int end = endOfRun(batch, from);
            Lane lane = engines.run(Task.EMBEDDING, batch, from, end);
            try {
                Lane.Window window = lane.window(Task.EMBEDDING);
                window.read(end - from, to, (long) from * sequenceBytes);
            } finally {
                engines.give(lane);
            }
            from = end;
        }
        Reference.reachabilityFence(model);
    }

    /**
     * Writes the vectors of token sequences to the caller's Agrona buffer from {@code index} on, as
     * the form for memory segments does. Agrona needs {@code --add-opens
     * java.base/jdk.internal.misc=ALL-UNNAMED}.
     */
    public void embed(TokenBatch batch, MutableDirectBuffer to, int index) {
        check(batch, to.capacity(), index);
        int sequenceBytes = width * Float.BYTES;
        int at = index;
        for (int from = 0; from < batch.sequences(); ) {
            int end = endOfRun(batch, from);
            int bytes = (end - from) * sequenceBytes;
            Lane lane = engines.run(Task.EMBEDDING, batch, from, end);
            try {
                Lane.Window window = lane.window(Task.EMBEDDING);
                to.putBytes(at, window.agrona(), 0, bytes);
            } finally {
                engines.give(lane);
            }
            at += bytes;
            from = end;
        }
        Reference.reachabilityFence(model);
    }

    /** Checks all that can be wrong before anything is written. */
    private void check(TokenBatch batch, long lengthBytes, long offset) {
        engines.checkOpen();
        long vectorBytes = (long) batch.sequences() * width * Float.BYTES;
        Objects.checkFromIndexSize(offset, vectorBytes, lengthBytes);
        for (int s = 0; s < batch.sequences(); s++) {
            if (batch.length(s) > mostTokens) {
                throw new CapacityException(
                        "sequence %d has %d tokens, this encoder reads at most %d: cut it"
                                .formatted(s, batch.length(s), mostTokens));
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
        engines.checkOpen();
        return read(text, LongTexts.TRUNCATE, batch);
    }

    private int read(String text, LongTexts longTexts, TokenBatch to) {
        return model.embeddingReader().text(model.text().prepared(text), longTexts, to);
    }

    /** {@return the width of a vector} */
    public int dimension() {
        engines.checkOpen();
        return width;
    }

    /** {@return the model's tokenizer} */
    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /** {@return what the model is, and the memory it takes} */
    public ModelInfo info() {
        return model.info();
    }

    /** {@return the memory that runs of a capacity take, worked out without loading a weight} */
    public static PlanReport plan(String nameOrPath, Capacity capacity) {
        TextModel model = TextModel.open(nameOrPath);
        model.warnIfUnsaid(nameOrPath);
        return Planning.of(model, capacity);
    }

    /** Closes the model, with all its facades. A second close does nothing. */
    @Override
    public void close() {
        model.close();
    }

    /** Settings for an encoder. */
    public static final class Builder {
        /** A run's most tokens and sequences, unless asked for others. */
        public static final Capacity DEFAULT_CAPACITY = ModelLoader.DEFAULT_CAPACITY;

        private final ModelLoader loader;

        private Builder(ModelLoader loader) {
            this.loader = loader;
        }

        /** Names the backend, as {@link ModelLoader#backend} says. */
        public Builder backend(String name) {
            loader.backend(name);
            return this;
        }

        /** Chooses the backends, as {@link ModelLoader#placement} says. */
        public Builder placement(Placement choice) {
            loader.placement(choice);
            return this;
        }

        /** Renames the checkpoint's tensors, as {@link ModelLoader#weightMap} says. */
        public Builder weightMap(Path file) {
            loader.weightMap(file);
            return this;
        }

        /** Sets the largest batch, as {@link ModelLoader#capacity} says. */
        public Builder capacity(Capacity largest) {
            loader.capacity(largest);
            return this;
        }

        /** Sets how many tokens of a text are read, as {@link ModelLoader#maxTokens} says. */
        public Builder maxTokens(int most) {
            loader.maxTokens(most);
            return this;
        }

        /** Sets how many callers are served at a time, as {@link ModelLoader#sessions} says. */
        public Builder sessions(int count) {
            loader.sessions(count);
            return this;
        }

        /** Sets what becomes of long texts, as {@link ModelLoader#longTexts} says. */
        public Builder longTexts(LongTexts choice) {
            loader.longTexts(choice);
            return this;
        }

        /** Reads the tokenizer from elsewhere, as {@link ModelLoader#tokenizer} says. */
        public Builder tokenizer(Path fileOrFolder) {
            loader.tokenizer(fileOrFolder);
            return this;
        }

        /**
         * Loads the model.
         *
         * @throws io.cyclane.tensor.CyclaneException as {@link Encoder#load(String)} says
         */
        public Encoder load() {
            return loader.open(Task.EMBEDDING).encoder();
        }
    }
}

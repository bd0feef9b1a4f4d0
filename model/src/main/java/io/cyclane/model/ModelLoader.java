package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.WeightMap;
import io.cyclane.model.text.TokenizerReading;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.CapacityException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Settings for a model, and the door to it. */
public final class ModelLoader {
    /** A run's most tokens and sequences, unless asked for others. */
    public static final Capacity DEFAULT_CAPACITY = new Capacity(4096, 64);

    private final String nameOrPath;
    private @Nullable Placement placement;
    private @Nullable Capacity capacity;
    private @Nullable LongTexts longTexts;
    private @Nullable Path tokenizer;
    private @Nullable Path weightMap;
    private boolean randomHead;
    private int maxTokens;
    private int sessions = 1;

    private ModelLoader(String nameOrPath) {
        this.nameOrPath = nameOrPath;
    }

    /**
     * {@return a loader of a model with the settings most want: the best backend there is, one
     * session}
     *
     * @param nameOrPath an alias such as {@code minilm}, or a folder with {@code config.json},
     *     safetensors and a tokenizer
     */
    public static ModelLoader of(String nameOrPath) {
        return new ModelLoader(nameOrPath);
    }

    /** {@return a loader of the model in a folder, whatever its name} */
    public static ModelLoader of(Path folder) {
        // Absolute, so that a folder called like an alias is still the folder.
        return of(folder.toAbsolutePath().toString());
    }

    /** Names the backend: cpu, gpu, reference. */
    public ModelLoader backend(String name) {
        return placement(Placement.fixed(name));
    }

    /** Chooses the backends that run batches: one of them, or two beside each other. */
    public ModelLoader placement(Placement choice) {
        placement = choice;
        return this;
    }

    /**
     * Sets the largest batch: memory is planned for it, and longer lists of texts are run in
     * several.
     */
    public ModelLoader capacity(Capacity largest) {
        capacity = largest;
        return this;
    }

    /**
     * Sets how many tokens of a text are read at a time, special ones counted, instead of the
     * model's own choice.
     */
    public ModelLoader maxTokens(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("at least 1 token of a text is read, not " + most);
        }
        maxTokens = most;
        return this;
    }

    /** Sets how many callers are served at a time, each with an arena of its own. */
    public ModelLoader sessions(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("a model has at least 1 session, not " + count);
        }
        sessions = count;
        return this;
    }

    /**
     * Sets what becomes of texts with more tokens than are read at a time. Unless it is set they
     * are cut, but for the texts in which answers are looked for, which are read in parts.
     */
    public ModelLoader longTexts(LongTexts choice) {
        longTexts = choice;
        return this;
    }

    /** Reads the tokenizer from another file or folder than the model's. */
    public ModelLoader tokenizer(Path fileOrFolder) {
        tokenizer = fileOrFolder;
        return this;
    }

    /**
     * Reads a checkpoint with names of its own through a table, a line each: regular expression,
     * arrow, slot; see {@link WeightMap}.
     */
    public ModelLoader weightMap(Path file) {
        weightMap = file;
        return this;
    }

    /**
     * Accepts a checkpoint that lacks the head of a task: random numbers, always the same, stand
     * for it, so that its results mean nothing.
     */
    public ModelLoader randomHead(boolean accepted) {
        randomHead = accepted;
        return this;
    }

    /**
     * Opens the model for these tasks.
     *
     * @throws io.cyclane.tensor.CyclaneException when there is no such model, it is damaged or
     *     unknown, it lacks the head of a task, or no backend can run
     */
    public LoadedModel open(Task first, Task... others) {
        Backends.prepare();
        Set<Task> tasks = EnumSet.of(first, others);
        TextModel model = TextModel.open(nameOrPath, Optional.ofNullable(weightMap));
        requireLabels(model, tasks);
        if (tasks.contains(Task.EMBEDDING)) {
            model.warnIfUnsaid(nameOrPath);
        }
        int limit = limit(model, tasks);
        Capacity largest =
                capacity != null
                        ? capacity
                        : new Capacity(
                                Math.max(DEFAULT_CAPACITY.tokens(), limit),
                                DEFAULT_CAPACITY.sequences());
        int readable = Math.min(limit, largest.tokens());
        int embedded = maxTokens > 0 ? readable : Math.min(readable, model.maxTokens());
        Path place = tokenizer == null ? model.folder().path() : tokenizer;
        // At the same time: each takes some tenths of a second when a process is young.
        TokenizerReading reading = TokenizerReading.start(place);
        Engines engines = engines(model, tasks, largest);
        boolean fits = false;
        try {
            TextReader reader = TextReader.of(model, reading.result(), readable);
            TextReader embedder = reader.upTo(embedded);
            check(embedder);
            fits = true;
            return new LoadedModel(nameOrPath, reader, embedder, engines, largest, longTexts);
        } finally {
            if (!fits) {
                engines.close();
            }
        }
    }

    private Engines engines(TextModel model, Set<Task> tasks, Capacity largest) {
        Placement chosen = placement == null ? Placement.ofSettings().orElse(null) : placement;
        if (chosen == null) {
            Engine best = engine(Backends.open(), model, tasks, largest);
            return new Engines(Placement.fixed(best.backend().name()), List.of(best));
        }
        List<String> names =
                switch (chosen) {
                    case Placement.Fixed(String backend) -> List.of(backend);
                    case Placement.Auto auto -> List.of(auto.small(), auto.large());
                    case Placement.Split(String first, String second) -> List.of(first, second);
                };
        List<Engine> engines = new ArrayList<>();
        boolean areOpen = false;
        try {
            for (String name : names) {
                engines.add(engine(Backends.open(name), model, tasks, largest));
            }
            Placement known =
                    chosen instanceof Placement.Auto(String small, String large, int from)
                                    && from == 0
                            ? new Placement.Auto(small, large, crossover(engines, model, largest))
                            : chosen;
            areOpen = true;
            return new Engines(known, engines);
        } finally {
            if (!areOpen) {
                engines.forEach(Engine::close);
            }
        }
    }

    private static int crossover(List<Engine> engines, TextModel model, Capacity largest) {
        return Crossover.tokens(
                engines.getFirst(), engines.getLast(), largest, model.encoder().positions());
    }

    private Engine engine(Backend opened, TextModel model, Set<Task> tasks, Capacity largest) {
        return new Engine(opened, model, tasks, largest, sessions, randomHead);
    }

    private int limit(TextModel model, Set<Task> tasks) {
        model.requireReadable(nameOrPath, maxTokens);
        if (maxTokens > 0) {
            return maxTokens;
        }
        // What sentence-transformers files say of the limit is about embedding.
        boolean onlyEmbeds = tasks.equals(Set.of(Task.EMBEDDING));
        return onlyEmbeds
                ? model.maxTokens()
                : Math.min(model.encoder().positions(), DEFAULT_CAPACITY.tokens());
    }

    private void requireLabels(TextModel model, Set<Task> tasks) {
        if (!tasks.contains(Task.RERANKING)) {
            return;
        }
        List<String> names = model.labels().names();
        if (names.size() != 1 && !randomHead) {
            // Of a checkpoint without a head that is what to say: it is no classifier either.
            model.weights(model.program(Task.CLASSIFICATION, new Capacity(1, 1))).close();
            throw new CheckpointException(
                    "model '%s': a reranker has one label, this one has %d, %s: use it as a classifier"
                            .formatted(nameOrPath, names.size(), names));
        }
    }

    private void checkId(int id, String token, TokenEncoder encoder) {
        if (id >= encoder.vocabulary()) {
            throw new CheckpointException(
                    "model '%s': its tokenizer's '%s', put around texts, has the id %d, its word table %d rows: they do not belong together"
                            .formatted(nameOrPath, token, id, encoder.vocabulary()));
        }
    }

    private void check(TextReader reader) {
        TokenEncoder encoder = reader.model().encoder();
        if (reader.maxTokens() < reader.specials()) {
            throw new CapacityException(
                    "%d tokens of a text would be read, but '%s' adds %d to every text: raise maxTokens or the capacity"
                            .formatted(reader.maxTokens(), nameOrPath, reader.specials()));
        }
        if (encoder.readsSpecials()) {
            reader.tokenizer().surrounding().forEach((id, token) -> checkId(id, token, encoder));
        }
        if (reader.tokenizer().vocabularySize() > encoder.vocabulary()) {
            throw new CheckpointException(
                    "model '%s': its tokenizer has %d tokens, its word table %d rows: they do not belong together"
                            .formatted(
                                    nameOrPath,
                                    reader.tokenizer().vocabularySize(),
                                    encoder.vocabulary()));
        }
    }
}

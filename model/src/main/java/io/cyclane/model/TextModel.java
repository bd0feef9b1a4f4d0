package io.cyclane.model;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.Pooling;
import io.cyclane.model.checkpoint.SentenceSettings;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.CapacityException;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A model's folder understood: its architecture, and how its token vectors become one vector. Holds
 * no weights.
 *
 * @param normalize whether vectors are scaled to length 1
 * @param maxTokens how many tokens of a text are read unless the caller says
 * @param prompt what stands before every text, mostly nothing
 * @param lowerCase whether texts are lower-cased before the tokenizer sees them
 */
record TextModel(
        ModelFolder folder,
        TokenEncoder encoder,
        Pooling pooling,
        boolean normalize,
        int maxTokens,
        String prompt,
        boolean lowerCase) {
    /** The name of the program's output, [S, D]. */
    static final String VECTORS = "vectors";

    /** The name of the output of programs with a head. */
    static final String SCORES = "scores";

    /** The input that names masked tokens, and where the last one's sequence ends: I32 [M + 1]. */
    static final String PLACES = "places";

    /** The extent of {@link #PLACES}. */
    static final String MASKS = "masks";

    /** How many masked places a run fills at most. */
    static final int MOST_MASKS = 64;

    private static final Logger LOG = System.getLogger(TextModel.class.getName());
    private static final float NORM_FLOOR = 1e-12f;

    /**
     * Opens a folder, or the folder an alias stands for.
     *
     * @throws CheckpointException when there is none, or it holds what we do not know
     */
    static TextModel open(String nameOrPath) {
        return open(nameOrPath, Optional.empty());
    }

    /** Opens the same with its tensors renamed by a table, if there is one. */
    static TextModel open(String nameOrPath, Optional<Path> weightMap) {
        return of(ModelFolder.open(nameOrPath, weightMap));
    }

    /** {@return the same for an open folder} */
    static TextModel of(ModelFolder folder) {
        TokenEncoder encoder = Architectures.of(folder);
        Optional<SentenceSettings> sentence = folder.sentence().or(encoder::sentence);
        int maxTokens =
                sentence.map(SentenceSettings::maxTokens)
                        .flatMap(TextModel::boxed)
                        .orElse(encoder.positions());
        return new TextModel(
                folder,
                encoder,
                sentence.map(SentenceSettings::pooling).orElse(Pooling.CLS),
                sentence.map(SentenceSettings::normalize).orElse(false),
                Math.min(maxTokens, encoder.positions()),
                sentence.flatMap(s -> s.defaultPrompt().map(s.prompts()::get)).orElse(""),
                sentence.map(SentenceSettings::lowerCase).orElse(false));
    }

    private static Optional<Integer> boxed(java.util.OptionalInt number) {
        return number.isPresent() ? Optional.of(number.getAsInt()) : Optional.empty();
    }

    /** Warns when nothing says how the vectors of tokens become one. */
    void warnIfUnsaid(String name) {
        if (folder.sentence().isEmpty() && encoder.sentence().isEmpty()) {
            LOG.log(
                    Level.WARNING,
                    "model '"
                            + name
                            + "' has no modules.json: its vector is that of the first token, not scaled");
        }
    }

    /** {@return the program from token ids to one vector per text} */
    Program embedding(Capacity capacity) {
        Recorder g = new Recorder(folder.path().getFileName() + " embedding");
        RaggedBatch batch = RaggedBatch.record(g, capacity.tokens(), capacity.sequences());
        Tensor tokens = encoder.forward(g, batch);
        return g.output(VECTORS, pooled(g, tokens, batch)).program();
    }

    /** Records what makes one vector of those of a text's tokens. */
    Tensor pooled(Recorder g, Tensor tokens, RaggedBatch batch) {
        Pool.Kind kind = pooling == Pooling.CLS ? Pool.Kind.CLS : Pool.Kind.MEAN;
        Tensor pooled = g.first(new Pool(kind), tokens, batch.offsets());
        return normalize ? g.first(new L2Normalize(NORM_FLOOR), pooled) : pooled;
    }

    /** {@return the labels of its head} */
    Labels labels() {
        return Labels.of(folder.config());
    }

    /**
     * {@return the program from token ids to what a task asks for} Its output is {@link #VECTORS}
     * for embedding, else {@link #SCORES}: a row per text, per token, or per masked place.
     */
    Program program(Task task, Capacity capacity) {
        if (task == Task.EMBEDDING) {
            return embedding(capacity);
        }
        Recorder g = new Recorder(folder.path().getFileName() + " " + task.label());
        RaggedBatch batch = RaggedBatch.record(g, capacity.tokens(), capacity.sequences());
        Tensor tokens = encoder.forward(g, batch);
        Tensor x = task == Task.FILL_MASK ? masked(g, tokens, capacity) : tokens;
        return g.output(SCORES, scores(g, task, x, batch)).program();
    }

    /**
     * Records a task's head on vectors of tokens, [T, D], or, for {@link Task#FILL_MASK}, of any
     * number of masked places.
     */
    Tensor scores(Recorder g, Task task, Tensor x, RaggedBatch batch) {
        return scores(g, encoder, labels(), task, x, batch);
    }

    /** The same for an encoder without its folder. */
    static Tensor scores(
            Recorder g,
            TokenEncoder encoder,
            Labels labels,
            Task task,
            Tensor x,
            RaggedBatch batch) {
        Heads heads = encoder.heads();
        return switch (task) {
            case CLASSIFICATION -> heads.sequence(g, x, batch, labels.count());
            case RERANKING -> heads.sequence(g, x, batch, 1);
            case TOKEN_CLASSIFICATION -> heads.token(g, x, labels.count());
            case QUESTION_ANSWERING -> heads.span(g, x);
            case FILL_MASK -> heads.masked(g, x);
            case EMBEDDING -> throw new IllegalArgumentException("embedding has no head");
        };
    }

    /**
     * The vectors of masked tokens alone, [M, D]: scores of every token for every place would take
     * V columns each. A row is the first of a sequence that begins at the masked token.
     */
    private static Tensor masked(Recorder g, Tensor tokens, Capacity capacity) {
        Extent.Bounded masks = new Extent.Bounded(MASKS, Math.min(MOST_MASKS, capacity.tokens()));
        Tensor places = g.input(PLACES, Type.i32(Shape.of(new Extent.Borders(masks))));
        return g.first(new Pool(Pool.Kind.CLS), tokens, places);
    }

    /**
     * {@return the checkpoint as a source for this program's weights}
     *
     * @throws CheckpointException when a weight is missing or misshapen, or a tensor would go
     *     unread
     */
    ModelWeights weights(Program program) {
        return weights(List.of(program), false);
    }

    /**
     * {@return the same for several programs, with random numbers for a missing head or without}
     */
    ModelWeights weights(List<Program> programs, boolean mayBeRandom) {
        Set<Parameter> all = new LinkedHashSet<>();
        programs.forEach(program -> all.addAll(program.parameters().values()));
        Recorder g = new Recorder("encoder");
        encoder.forward(g, RaggedBatch.record(g, 1, 1));
        return ModelWeights.open(this, all, g.parameters(), mayBeRandom);
    }

    /** {@return a text as the tokenizer is to see it: with the model's own prompt, and its case} */
    String prepared(String text) {
        String whole = prompt.isEmpty() ? text : prompt + text;
        return lowerCase ? whole.toLowerCase(Locale.ROOT) : whole;
    }

    /**
     * Checks how many tokens of a text somebody wants to be read.
     *
     * @param name what messages call the model
     * @throws CapacityException when they are more than it can
     */
    void requireReadable(String name, int tokens) {
        if (tokens > encoder.positions()) {
            throw new CapacityException(
                    "%d tokens of a text were asked for, model '%s' reads at most %d"
                            .formatted(tokens, name, encoder.positions()));
        }
    }

    /** {@return how often the most repeated group is applied} */
    int rounds() {
        return encoder.rounds();
    }
}

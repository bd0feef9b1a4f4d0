package io.cyclane.model;

import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.CheckpointWeights;
import io.cyclane.model.checkpoint.ModelAliases;
import io.cyclane.model.checkpoint.ModelFolder;
import io.cyclane.model.checkpoint.Pooling;
import io.cyclane.model.checkpoint.SentenceSettings;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.Group;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.L2Normalize;
import io.cyclane.tensor.op.Pool;
import io.cyclane.tensor.program.Program;
import io.cyclane.tensor.program.Recorder;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

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

    private static final Logger LOG = System.getLogger(TextModel.class.getName());
    private static final float NORM_FLOOR = 1e-12f;

    /**
     * Opens a folder, or the folder an alias stands for.
     *
     * @throws CheckpointException when there is none, or it holds what we do not know
     */
    static TextModel open(String nameOrPath) {
        Path path = ModelAliases.resolve(nameOrPath);
        ModelFolder folder = ModelFolder.open(path);
        TokenEncoder encoder = Architectures.of(folder.config());
        Optional<SentenceSettings> sentence = folder.sentence();
        if (sentence.isEmpty()) {
            LOG.log(
                    Level.WARNING,
                    "model '"
                            + nameOrPath
                            + "' has no modules.json: its vector is that of the first token, not scaled");
        }
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

    /** {@return the program from token ids to one vector per text} */
    Program embedding(Capacity capacity) {
        Recorder g = new Recorder(folder.path().getFileName() + " embedding");
        RaggedBatch batch = RaggedBatch.record(g, capacity.tokens(), capacity.sequences());
        Tensor tokens = encoder.forward(g, batch);
        Pool.Kind kind = pooling == Pooling.CLS ? Pool.Kind.CLS : Pool.Kind.MEAN;
        Tensor pooled = g.first(new Pool(kind), tokens, batch.offsets());
        Tensor vectors = normalize ? g.first(new L2Normalize(NORM_FLOOR), pooled) : pooled;
        return g.output(VECTORS, vectors).program();
    }

    /**
     * {@return the checkpoint as a source for this program's weights}
     *
     * @throws CheckpointException when a weight is missing or misshapen, or a tensor would go
     *     unread
     */
    CheckpointWeights weights(Program program) {
        Checkpoint checkpoint = folder.checkpoint();
        boolean isGood = false;
        try {
            String first =
                    encoder.stored(program.parameters().values().iterator().next().name())
                            .getFirst();
            String prefix = CheckpointWeights.prefix(checkpoint, encoder.prefixes(), first);
            CheckpointWeights weights =
                    new CheckpointWeights(
                            checkpoint,
                            name ->
                                    encoder.stored(name).stream()
                                            .map(stored -> spelled(checkpoint, prefix, stored))
                                            .toList());
            weights.check(
                    program.parameters().values(),
                    stored ->
                            encoder.isHead(
                                    stored.startsWith(prefix)
                                            ? stored.substring(prefix.length())
                                            : stored));
            isGood = true;
            return weights;
        } finally {
            if (!isGood) {
                checkpoint.close();
            }
        }
    }

    private String spelled(Checkpoint checkpoint, String prefix, String stored) {
        String former = prefix + encoder.formerName(stored);
        return checkpoint.has(former) ? former : prefix + stored;
    }

    /** {@return a text as the tokenizer is to see it: with the model's own prompt, and its case} */
    String prepared(String text) {
        String whole = prompt.isEmpty() ? text : prompt + text;
        return lowerCase ? whole.toLowerCase(Locale.ROOT) : whole;
    }

    /** {@return how often the most repeated group is applied} */
    int rounds() {
        return encoder.stack().groups().stream().mapToInt(Group::rounds).max().orElse(1);
    }
}

package io.cyclane.model.modernalbert;

import io.cyclane.model.EncoderTraits;
import io.cyclane.model.Heads;
import io.cyclane.model.TokenEncoder;
import io.cyclane.model.checkpoint.Checkpoint;
import io.cyclane.model.checkpoint.StackedNames;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.layer.RotaryTables;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.program.Recorder;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * ModernALBERT's encoder: a narrow word table, widened and normed once; groups of weights, each
 * applied several times, in some of which the feed-forward is a mixture of LoRAs; a final norm.
 *
 * <pre>{@code
 * x = LN(P . E[ids])
 * for each group, for each of its rounds:
 *     x = x + attention(LN1(x))
 *     x = x + feedForward(LN2(x))
 * x = LN(x)
 * }</pre>
 *
 * <p>Source: arXiv:2512.12880; what it does not state is a setting of {@link ModernAlbertConfig}.
 */
public final class ModernAlbert implements TokenEncoder {
    private static final List<String> HEADS =
            List.of("head.", "decoder.", "classifier.", "qa_outputs.");

    private final ModernAlbertConfig config;
    private final Parameter words;
    private final Dense projection;
    private final Norm embeddingNorm;
    private final Norm finalNorm;
    private final RotaryTables tables;
    private final RecursiveStack stack;

    /** The encoder of this shape. */
    public ModernAlbert(ModernAlbertConfig config) {
        this.config = config;
        int table = config.tableWidth();
        words = Parameter.of("embeddings.tok_embeddings.weight", config.vocabulary(), table);
        projection = Dense.of("projection", table, config.width(), false);
        ModernAlbertGroups groups = new ModernAlbertGroups(config);
        embeddingNorm = groups.norm("embeddings.norm");
        finalNorm = groups.norm("final_norm");
        tables = groups.tables();
        stack = groups.stack();
    }

    @Override
    public Tensor embed(Recorder g, RaggedBatch batch) {
        Tensor narrow = g.first(new Embedding(), g.parameter(words), batch.ids());
        return embeddingNorm.forward(g, projection.forward(g, narrow));
    }

    @Override
    public RecursiveStack stack() {
        return stack;
    }

    @Override
    public Tensor finish(Recorder g, Tensor x) {
        return finalNorm.forward(g, x);
    }

    @Override
    public EncoderTraits traits() {
        return new EncoderTraits(
                "modernalbert",
                config.width(),
                config.positions(),
                words,
                List.of("model.", "", "encoder.", "student.", "student.model."),
                HEADS);
    }

    @Override
    public Heads heads() {
        return new ModernAlbertHeads(config, words);
    }

    /** {@return its shape} */
    public ModernAlbertConfig config() {
        return config;
    }

    @Override
    public List<Parameter> computed() {
        return tables.parameters();
    }

    @Override
    public void compute(Parameter parameter, Checkpoint checkpoint, MemorySegment rows) {
        tables.fill(parameter, rows);
    }

    @Override
    public Optional<String> contradiction(Checkpoint checkpoint, String prefix) {
        return new ExpertTensors(config, checkpoint, prefix).contradiction();
    }

    @Override
    public List<String> stored(String parameter) {
        return StackedNames.stored(parameter);
    }
}

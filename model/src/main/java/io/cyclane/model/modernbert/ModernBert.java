package io.cyclane.model.modernbert;

import io.cyclane.model.EncoderTraits;
import io.cyclane.model.Heads;
import io.cyclane.model.TokenEncoder;
import io.cyclane.model.checkpoint.Checkpoint;
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
import java.util.stream.IntStream;

/**
 * ModernBERT's encoder: every few layers one whose tokens see the whole sequence, between them
 * layers that see a window; rotary positions, of another base in either kind.
 *
 * <p>Source: arXiv:2412.13663.
 */
public final class ModernBert implements TokenEncoder {
    private static final List<String> HEADS = List.of("head.", "classifier.", "decoder.");

    private final ModernBertConfig config;
    private final Parameter words;
    private final Norm embeddingNorm;
    private final Norm finalNorm;
    private final RotaryTables tables;
    private final RecursiveStack stack;

    /** The encoder of this shape. */
    public ModernBert(ModernBertConfig config) {
        this.config = config;
        words =
                Parameter.of(
                        "embeddings.tok_embeddings.weight", config.vocabulary(), config.width());
        embeddingNorm = ModernBertLayers.norm(config, "embeddings.norm");
        finalNorm = ModernBertLayers.norm(config, "final_norm");
        tables = new RotaryTables(config.sights(), config.headWidth(), config.positions());
        stack =
                RecursiveStack.plain(
                        IntStream.range(0, config.layers())
                                .mapToObj(i -> ModernBertLayers.of(config, i, tables))
                                .toList());
    }

    @Override
    public Tensor embed(Recorder g, RaggedBatch batch) {
        return embeddingNorm.forward(g, g.first(new Embedding(), g.parameter(words), batch.ids()));
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
                "modernbert",
                config.width(),
                config.positions(),
                words,
                List.of("model.", "", "encoder."),
                HEADS);
    }

    @Override
    public Heads heads() {
        return new ModernBertHeads(config, words);
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
    public List<String> stored(String parameter) {
        return List.of(parameter);
    }
}

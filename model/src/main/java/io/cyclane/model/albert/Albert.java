package io.cyclane.model.albert;

import io.cyclane.model.EncoderTraits;
import io.cyclane.model.Heads;
import io.cyclane.model.TokenEncoder;
import io.cyclane.model.layer.Block;
import io.cyclane.model.layer.Dense;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.QkvNames;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.Group;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.program.Recorder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * ALBERT's encoder: narrow embedding tables, widened once, and one group of weights that every
 * round applies again.
 *
 * <p>Source: arXiv:1909.11942.
 */
public final class Albert implements TokenEncoder {
    private static final List<String> HEADS =
            List.of(
                    "pooler.",
                    "predictions.",
                    "sop_classifier.",
                    "classifier.",
                    "qa_outputs.",
                    "embeddings.position_ids");

    private final AlbertConfig config;
    private final Parameter words;
    private final Parameter positions;
    private final Parameter types;
    private final Norm norm;
    private final Dense widening;
    private final RecursiveStack stack;

    /** The encoder of this shape. */
    public Albert(AlbertConfig config) {
        this.config = config;
        words = table("word_embeddings", config.vocabulary());
        positions = table("position_embeddings", config.positions());
        types = table("token_type_embeddings", config.types());
        norm = Norm.biased("embeddings.LayerNorm", config.tableWidth(), config.normEps());
        widening =
                Dense.biased(
                        "encoder.embedding_hidden_mapping_in", config.tableWidth(), config.width());
        stack =
                new RecursiveStack(
                        IntStream.range(0, config.groups())
                                .mapToObj(i -> new Group(block(i), config.rounds()))
                                .toList());
    }

    private Parameter table(String name, int rows) {
        return Parameter.of("embeddings." + name + ".weight", rows, config.tableWidth());
    }

    private Block block(int group) {
        return Block.inARow(
                IntStream.range(0, config.groupLayers())
                        .mapToObj(i -> AlbertLayer.of(config, group, i))
                        .toList());
    }

    @Override
    public Tensor embed(Recorder g, RaggedBatch batch) {
        Tensor word = g.first(new Embedding(), g.parameter(words), batch.ids());
        Tensor place = g.first(new Embedding(), g.parameter(positions), batch.positions());
        Tensor type = g.first(new Embedding(), g.parameter(types), batch.types());
        return widening.forward(g, norm.forward(g, g.add(g.add(word, place), type)));
    }

    @Override
    public RecursiveStack stack() {
        return stack;
    }

    @Override
    public EncoderTraits traits() {
        return new EncoderTraits(
                "albert",
                config.width(),
                config.positions(),
                words,
                List.of("albert.", "", "model."),
                HEADS);
    }

    @Override
    public Heads heads() {
        return new AlbertHeads(config, words);
    }

    @Override
    public List<String> stored(String parameter) {
        return QkvNames.stored(parameter);
    }

    /** Some checkpoints store the bias of word scores only under its second name. */
    @Override
    public String formerName(String stored) {
        return stored.equals("predictions.bias") ? "predictions.decoder.bias" : stored;
    }
}

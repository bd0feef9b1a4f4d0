package io.cyclane.model.bert;

import io.cyclane.model.EncoderTraits;
import io.cyclane.model.Heads;
import io.cyclane.model.TokenEncoder;
import io.cyclane.model.bert.BertConfig.Family;
import io.cyclane.model.layer.Norm;
import io.cyclane.model.layer.QkvNames;
import io.cyclane.model.layer.RaggedBatch;
import io.cyclane.model.recursion.RecursiveStack;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Embedding;
import io.cyclane.tensor.op.Positions;
import io.cyclane.tensor.program.Recorder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * BERT's encoder: the MiniLM, BGE, E5 and GTE families among many, and RoBERTa's, whose layers are
 * the same.
 */
public final class Bert implements TokenEncoder {
    /** Checkpoints carry heads that the encoder alone does not read. */
    private static final List<String> HEADS =
            List.of(
                    "pooler.",
                    "cls.",
                    "lm_head.",
                    "classifier.",
                    "qa_outputs.",
                    "dropout.",
                    "embeddings.position_ids");

    private final BertConfig config;
    private final Parameter words;
    private final Parameter positions;
    private final Parameter types;
    private final Norm norm;
    private final RecursiveStack stack;

    /** The encoder of this shape. */
    public Bert(BertConfig config) {
        this.config = config;
        words =
                Parameter.of(
                        "embeddings.word_embeddings.weight", config.vocabulary(), config.width());
        positions =
                Parameter.of(
                        "embeddings.position_embeddings.weight",
                        config.firstPosition() + config.positions(),
                        config.width());
        types =
                Parameter.of(
                        "embeddings.token_type_embeddings.weight", config.types(), config.width());
        norm = Norm.biased("embeddings.LayerNorm", config.width(), config.normEps());
        stack =
                RecursiveStack.plain(
                        IntStream.range(0, config.layers())
                                .mapToObj(i -> BertLayer.of(config, i))
                                .toList());
    }

    @Override
    public Tensor embed(Recorder g, RaggedBatch batch) {
        Tensor word = g.first(new Embedding(), g.parameter(words), batch.ids());
        Tensor place = g.first(new Embedding(), g.parameter(positions), places(g, batch));
        Tensor type = g.first(new Embedding(), g.parameter(types), batch.types());
        return norm.forward(g, g.add(g.add(word, place), type));
    }

    private Tensor places(Recorder g, RaggedBatch batch) {
        int first = config.firstPosition();
        return first == 0
                ? batch.positions()
                : g.first(new Positions(batch.tokens(), first), batch.offsets());
    }

    @Override
    public EncoderTraits traits() {
        return new EncoderTraits(
                config.family() == Family.ROBERTA ? "roberta" : "bert",
                config.width(),
                config.positions(),
                words,
                List.of("", "bert.", "roberta.", "model."),
                HEADS);
    }

    @Override
    public Heads heads() {
        return config.family() == Family.ROBERTA
                ? new RobertaHeads(config, words)
                : new BertHeads(config, words);
    }

    @Override
    public RecursiveStack stack() {
        return stack;
    }

    /**
     * Checkpoints hold query, key and value apart; here they are one matrix, read once for all
     * three.
     */
    @Override
    public List<String> stored(String parameter) {
        return QkvNames.stored(parameter);
    }

    /**
     * Checkpoints converted from TensorFlow, the first BERTs among them, name norms its way; some
     * store the bias of word scores only under its second name.
     */
    @Override
    public String formerName(String stored) {
        return stored.replace(".LayerNorm.weight", ".LayerNorm.gamma")
                .replace(".LayerNorm.bias", ".LayerNorm.beta")
                .replace("cls.predictions.bias", "cls.predictions.decoder.bias")
                .replace("lm_head.bias", "lm_head.decoder.bias");
    }
}

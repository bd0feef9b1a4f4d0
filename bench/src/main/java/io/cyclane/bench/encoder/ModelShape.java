package io.cyclane.bench.encoder;

import io.cyclane.bench.BenchException;
import io.cyclane.model.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Shapes of public models, of which random weights are made where the real ones are not at hand:
 * what a forward costs does not depend on the numbers.
 */
public enum ModelShape {
    /** BGE-base, whose vector is that of the first token, and BERT-base. */
    BGE_BASE(
            """
            {"model_type": "bert", "vocab_size": 30522, "hidden_size": 768,
             "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
             "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_act": "gelu",
             "layer_norm_eps": 1e-12}
            """,
            512,
            "cls_token"),
    ALBERT_BASE(
            """
            {"model_type": "albert", "vocab_size": 30000, "embedding_size": 128,
             "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
             "intermediate_size": 3072, "max_position_embeddings": 512, "hidden_act": "gelu_new"}
            """,
            512,
            "mean_tokens"),
    MODERNBERT_BASE(modernBert(768, 22, 12, 1152), 8192, "mean_tokens"),
    MODERNBERT_LARGE(modernBert(1024, 28, 16, 2624), 8192, "mean_tokens");

    private final String config;
    private final int positions;
    private final String pooling;

    ModelShape(String config, int positions, String pooling) {
        this.config = config;
        this.positions = positions;
        this.pooling = pooling;
    }

    private static String modernBert(int width, int layers, int heads, int hidden) {
        return """
        {"model_type": "modernbert", "vocab_size": 50368, "hidden_size": %d,
         "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
         "max_position_embeddings": 8192, "local_attention": 128, "hidden_activation": "gelu"}
        """
                .formatted(width, layers, heads, hidden);
    }

    /** {@return the shape of a name such as {@code bge-base}} */
    static Optional<ModelShape> named(String name) {
        return Arrays.stream(values()).filter(shape -> shape.label().equals(name)).findFirst();
    }

    /** {@return the names, in order} */
    static List<String> labels() {
        return Arrays.stream(values()).map(ModelShape::label).toList();
    }

    private String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** {@return the most tokens of a text} */
    int positions() {
        return positions;
    }

    /**
     * Makes an empty folder a model of this shape: an encoder of random weights whose vector is the
     * mean of its tokens' or, of a BGE, the first token's, scaled to length 1.
     */
    void write(Path folder, long seed) {
        try {
            Files.writeString(folder.resolve("config.json"), config);
            writeSentenceSettings(folder, pooling);
            Files.writeString(folder.resolve("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
        } catch (IOException e) {
            throw new BenchException("'" + folder + "' can not be written: " + e.getMessage(), e);
        }
        RandomModel.write(folder, seed);
    }

    /** Says in a model's folder that a text's vector is its tokens' mean scaled to length 1. */
    static void writeSentenceSettings(Path folder) throws IOException {
        writeSentenceSettings(folder, "mean_tokens");
    }

    private static void writeSentenceSettings(Path folder, String pooling) throws IOException {
        Files.writeString(
                folder.resolve("modules.json"),
                """
                [{"path": "", "type": "sentence_transformers.models.Transformer"},
                 {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                 {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
                """);
        Files.createDirectories(folder.resolve("1_Pooling"));
        Files.writeString(
                folder.resolve("1_Pooling/config.json"),
                "{\"pooling_mode_%s\": true}".formatted(pooling));
    }
}

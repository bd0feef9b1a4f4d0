package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.model.Capacity;
import io.cyclane.model.Embeddings;
import io.cyclane.model.Encoder;
import io.cyclane.testkit.Tolerance;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole models, through the door that users take, on the GPU's kernels and on the CPU's. The
 * measure is e = max|x - reference| over the RMS, of vectors that are not scaled to length 1, which
 * would hide a wrong scale: at most 4 times that of naive F32 arithmetic, and at most 1e-4.
 */
class ModelTest {
    private static final double MOST = 1e-4;
    static final List<String> TEXTS =
            List.of(
                    "rivers carry stones to the sea",
                    "it rained.",
                    "a",
                    "and again it did. ".repeat(3));

    static final String MODERN_BERT =
            """
            {"model_type": "modernbert", "vocab_size": 58, "hidden_size": 768,
             "num_hidden_layers": 2, "num_attention_heads": 12, "intermediate_size": 1152,
             "max_position_embeddings": 64, "local_attention": 8,
             "global_attn_every_n_layers": 2, "hidden_activation": "gelu"}
            """;

    static final String MODERN_ALBERT =
            """
            {"model_type": "ModernALBERT", "vocab_size": 58, "embedding_size": 128,
             "hidden_size": 768, "num_hidden_layers": 4, "group_depth": 2,
             "expert_groups": [2], "num_attention_heads": 12, "intermediate_size": 768,
             "expert_intermediate_size": 1152, "num_experts": 8, "top_k": 2, "lora_rank": 16,
             "lora_alpha": 32, "hidden_act": "gelu", "max_position_embeddings": 64}
            """;

    static final String BERT =
            """
            {"model_type": "bert", "vocab_size": 58, "hidden_size": 384,
             "num_hidden_layers": 2, "num_attention_heads": 12, "intermediate_size": 1536,
             "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu",
             "layer_norm_eps": 1e-12}
            """;

    @TempDir Path folder;

    @BeforeEach
    void compilesForTheHost() {
        HostDriver.orSkip();
    }

    /** Both layers at full width, one that looks at all tokens and one that looks near. */
    @Test
    void modernBert() {
        agrees(MODERN_BERT);
    }

    /** Two groups of two rounds, the second with routed updates. */
    @Test
    void modernAlbertWithMixtureOfLoras() {
        agrees(narrower(MODERN_ALBERT, 2));
    }

    /** The same at full width. */
    @Test
    @Tag("long")
    void wideModernAlbertWithMixtureOfLoras() {
        agrees(MODERN_ALBERT);
    }

    /** {@return a configuration with a fraction of the heads and widths} */
    static String narrower(String config, int times) {
        String narrower = config;
        for (int width : new int[] {12, 768, 1152}) {
            narrower = narrower.replace(": " + width + ",", ": " + width / times + ",");
        }
        return narrower;
    }

    @Test
    void bert() {
        agrees(BERT);
    }

    /** All six layers, trained; the vectors have length 1, as the model gives them. */
    @Test
    @Tag("long")
    void miniLm() {
        withTrainedModels(() -> agree("minilm"));
    }

    /** Runs where models that are named by a word are found. */
    static void withTrainedModels(Runnable body) {
        with("cyclane.cache", Path.of("target", "model-cache").toAbsolutePath() + "", body);
    }

    /** Runs with a system property set. */
    static void with(String property, String value, Runnable body) {
        String before = System.getProperty(property);
        System.setProperty(property, value);
        try {
            body.run();
        } finally {
            if (before == null) {
                System.clearProperty(property);
            } else {
                System.setProperty(property, before);
            }
        }
    }

    private void agrees(String config) {
        SmallModels.write(folder, config);
        agree(folder.toString());
    }

    private static void agree(String model) {
        double[] reference = vectors(model, "reference");
        double naive = Tolerance.relativeToRms(reference, vectors(model, NaiveProvider.NAME));
        assertTrue(naive > 0, "naive arithmetic rounds");
        double allowed = Math.min(4 * naive, MOST);
        double[] gpu = vectors(model, GpuOnHostProvider.NAME);
        double e = Tolerance.relativeToRms(reference, gpu);
        System.out.printf("%s: e = %.2e, allowed %.2e%n", model, e, allowed);
        assertTrue(e <= allowed, () -> "e is %g, allowed %g".formatted(e, allowed));
        double fromCpu = Tolerance.relativeToRms(vectors(model, "cpu"), gpu);
        assertTrue(fromCpu <= 2 * allowed, () -> "the CPU differs by " + fromCpu);
    }

    static double[] vectors(String model, String backend) {
        try (Encoder encoder =
                Encoder.builder(model).backend(backend).capacity(new Capacity(64, 3)).load()) {
            Embeddings embeddings = encoder.run(TEXTS);
            assertEquals(TEXTS.size(), embeddings.vectors().length);
            return java.util.Arrays.stream(embeddings.vectors())
                    .flatMapToDouble(vector -> {
                        double[] wide = new double[vector.length];
                        for (int i = 0; i < wide.length; i++) {
                            wide[i] = vector[i];
                        }
                        return java.util.Arrays.stream(wide);
                    })
                    .toArray();
        }
    }
}

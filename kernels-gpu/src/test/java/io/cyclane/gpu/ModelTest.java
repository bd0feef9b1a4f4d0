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
    private static final List<String> TEXTS =
            List.of(
                    "rivers carry stones to the sea",
                    "it rained.",
                    "a",
                    "and again it did. ".repeat(3));

    @TempDir Path folder;

    @BeforeEach
    void compilesForTheHost() {
        HostDriver.orSkip();
    }

    /** Both layers at full width, one that looks at all tokens and one that looks near. */
    @Test
    void modernBert() {
        agrees(
                """
                {"model_type": "modernbert", "vocab_size": 58, "hidden_size": 768,
                 "num_hidden_layers": 2, "num_attention_heads": 12, "intermediate_size": 1152,
                 "max_position_embeddings": 64, "local_attention": 8,
                 "global_attn_every_n_layers": 2, "hidden_activation": "gelu"}
                """);
    }

    /** Two groups of two rounds at full width, the second with routed updates. */
    @Test
    void modernAlbertWithMixtureOfLoras() {
        agrees(
                """
                {"model_type": "ModernALBERT", "vocab_size": 58, "embedding_size": 128,
                 "hidden_size": 768, "num_hidden_layers": 4, "group_depth": 2,
                 "expert_groups": [2], "num_attention_heads": 12, "intermediate_size": 768,
                 "expert_intermediate_size": 1152, "num_experts": 8, "top_k": 2, "lora_rank": 16,
                 "lora_alpha": 32, "hidden_act": "gelu", "max_position_embeddings": 64}
                """);
    }

    @Test
    void bert() {
        agrees(
                """
                {"model_type": "bert", "vocab_size": 58, "hidden_size": 384,
                 "num_hidden_layers": 2, "num_attention_heads": 12, "intermediate_size": 1536,
                 "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu",
                 "layer_norm_eps": 1e-12}
                """);
    }

    /** All six layers, trained; the vectors have length 1, as the model gives them. */
    @Test
    @Tag("long")
    void miniLm() {
        String before = System.getProperty("cyclane.cache");
        System.setProperty("cyclane.cache", Path.of("target", "model-cache").toAbsolutePath() + "");
        try {
            agree("minilm");
        } finally {
            if (before == null) {
                System.clearProperty("cyclane.cache");
            } else {
                System.setProperty("cyclane.cache", before);
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

    private static double[] vectors(String model, String backend) {
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

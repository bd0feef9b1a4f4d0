package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.model.Capacity;
import io.cyclane.model.Encoder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many launches a layer takes: products with all that follows them in one, so that nothing is
 * written only to be read by a launch of its own. A layer's count is what one more layer adds.
 */
class LaunchCountTest {
    private static final Capacity CAPACITY = new Capacity(16, 2);

    @TempDir Path folder;

    @BeforeEach
    void compilesForTheHost() {
        HostDriver.orSkip();
    }

    private Map<String, Long> launches(String name, String config) {
        Path model = folder.resolve(name);
        SmallModels.write(model, config);
        try (Encoder encoder =
                Encoder.builder(model.toString())
                        .backend(GpuOnHostProvider.NAME)
                        .capacity(CAPACITY)
                        .load()) {
            Map<String, Long> counts = GpuOnHostProvider.last().launches();
            Map<String, Long> before = new TreeMap<>(counts);
            encoder.run(List.of("rain"));
            Map<String, Long> launches = new TreeMap<>(counts);
            before.forEach((kernel, count) -> launches.merge(kernel, -count, Long::sum));
            return launches;
        }
    }

    /** What the larger model launches more often than the smaller. */
    private Map<String, Long> more(String smaller, String larger) {
        Map<String, Long> more = launches("larger", larger);
        launches("smaller", smaller)
                .forEach((kernel, count) -> more.merge(kernel, -count, Long::sum));
        more.values().removeIf(count -> count == 0);
        return more;
    }

    /** Both norms come after a residual, which the product before has added. */
    @Test
    void aLayerOfBert() {
        String config =
                """
                {"model_type": "bert", "vocab_size": 58, "hidden_size": 16,
                 "num_hidden_layers": %d, "num_attention_heads": 2, "intermediate_size": 24,
                 "max_position_embeddings": 16, "type_vocab_size": 2, "hidden_act": "gelu",
                 "layer_norm_eps": 1e-12}
                """;
        assertEquals(
                Map.of("attention_32_f32", 1L, "layer_norm_f32", 2L, "linear_f32", 4L),
                more(config.formatted(1), config.formatted(2)));
    }

    /** The product into the gated hidden value gates it. */
    @Test
    void aLayerOfModernBert() {
        String config =
                """
                {"model_type": "modernbert", "vocab_size": 58, "hidden_size": 16,
                 "num_hidden_layers": %d, "num_attention_heads": 2, "intermediate_size": 24,
                 "max_position_embeddings": 16, "local_attention": 8,
                 "global_attn_every_n_layers": 2, "hidden_activation": "gelu"}
                """;
        assertEquals(
                Map.of(
                        "attention_32_f32",
                        1L,
                        "layer_norm_f32",
                        2L,
                        "linear_f32",
                        4L,
                        "rotary_f32",
                        2L),
                more(config.formatted(2), config.formatted(3)));
    }

    private static String modernAlbert(int groups, int experts) {
        return """
        {"model_type": "ModernALBERT", "vocab_size": 58, "embedding_size": 8,
         "hidden_size": 16, "num_hidden_layers": %d, "group_depth": 1,
         "expert_groups": %s, "num_attention_heads": 2, "intermediate_size": 16,
         "expert_intermediate_size": 24, "num_experts": %d, "top_k": 1, "lora_rank": 4,
         "lora_alpha": 8, "hidden_act": "gelu", "max_position_embeddings": 16}
        """
                .formatted(groups, groups == 1 ? "[1]" : "[1, 2]", experts);
    }

    /** The mixture takes four launches, and adds the residual in its last. */
    @Test
    void aLayerWithAMixture() {
        Map<String, Long> layer = more(modernAlbert(1, 4), modernAlbert(2, 4));
        assertEquals(
                Map.of(
                        "attention_32_f32",
                        1L,
                        "layer_norm_f32",
                        2L,
                        "linear_f32",
                        2L,
                        "mol_down_f32",
                        1L,
                        "mol_in_f32",
                        1L,
                        "mol_out_f32",
                        1L,
                        "mol_sum_f32",
                        1L,
                        "rotary_f32",
                        2L,
                        "route_f32",
                        1L),
                layer);
    }

    /** Of many experts only those that were chosen are multiplied. */
    @Test
    void aMixtureOfManyExpertsGroupsItsChoices() {
        Map<String, Long> layer = more(modernAlbert(1, 5), modernAlbert(2, 5));
        assertEquals(1, layer.get("group_count_i32"));
        assertEquals(1, layer.get("group_place_i32"));
        assertEquals(1, layer.get("expert_matmul_16_f32"));
        assertEquals(null, layer.get("mol_down_f32"));
    }
}

package io.cyclane.model.modernalbert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.Sight;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModernAlbertConfigTest {
    /** What the published mol-tiny-v2-wrapper says. */
    private static final String TINY_V2 =
            """
            {"architectures": ["DistillationWrapper"], "model_type": "ModernALBERT",
             "hidden_size": 768, "intermediate_size": 1152, "expert_intermediate_size": 2624,
             "embedding_size": 128, "num_hidden_layers": 14, "group_depth": 2,
             "num_attention_heads": 12, "num_experts": 4, "num_expert_modules": 2, "top_k": 1,
             "lora_rank": 16, "lora_alpha": 32, "use_moa": false, "use_adapter": true,
             "adapter_reduction": 16, "router_jitter_noise": 0.01,
             "load_balancing_loss_coef": 0.1, "layer_norm_eps": 1e-6, "hidden_act": "gelu",
             "max_position_embeddings": 8192, "vocab_size": 50368, "pad_token_id": 0}
            """;

    /** What the published moa-init says. */
    private static final String MOA =
            """
            {"model_type": "ModernALBERT", "hidden_size": 1024, "intermediate_size": 2624,
             "embedding_size": 128, "num_hidden_layers": 16, "group_depth": 4,
             "num_attention_heads": 16, "num_experts": 4, "num_expert_modules": 2,
             "use_moa": true, "moa_reduction_factor": 4, "layer_norm_eps": 1e-12,
             "load_balancing_loss_coef": 0.01, "router_jitter_noise": 0.01,
             "hidden_act": "gelu", "max_position_embeddings": 8192, "vocab_size": 50368}
            """;

    /** What the published mol-final says, without its noise and residual. */
    private static final String PROTOTYPE =
            """
            {"model_type": "ModernALBERT_MoL", "hidden_size": 1024, "intermediate_size": 2048,
             "embedding_size": 128, "num_hidden_layers": 18, "num_expert_layers": 6,
             "static_group_depth": 3, "num_static_groups": 2, "top_k_experts": 1,
             "num_attention_heads": 16, "router_aux_loss_coef": 0.01,
             "use_gated_residual": false, "concat_routing_inputs": false, "use_adapter": true,
             "adapter_reduction_factor": 16, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
             "max_position_embeddings": 8192, "vocab_size": 50368}
            """;

    private static ModernAlbertConfig read(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        return ModernAlbertConfig.of(ModelConfig.parse("config.json", bytes));
    }

    @Test
    void theReleasedDialectIsRead() {
        ModernAlbertConfig config = read(TINY_V2);
        assertEquals(List.of(2, 2, 2, 2, 2, 2, 2), config.rounds());
        assertEquals(List.of(false, false, false, false, false, true, true), config.hasExperts());
        Experts experts = config.experts();
        assertEquals(Experts.Kind.LORAS, experts.kind());
        assertEquals(4, experts.count());
        assertEquals(1, experts.chosen());
        assertEquals(2624, experts.hidden());
        assertEquals(2f, experts.scale());
        assertTrue(experts.isRenormalised());
        assertEquals(0.01, experts.jitter());
        assertEquals(0.1, experts.balancing());
        assertEquals(new AdapterPlaces(16, true, true), config.adapters());
        assertEquals(1e-6f, config.normEps());
        assertEquals(64, config.headWidth());
        assertEquals(14, config.sights().size());
        assertTrue(config.sights().stream().allMatch(new Sight(0, 10_000)::equals));
        assertFalse(config.normBias() || config.attentionBias() || config.feedForwardBias());
    }

    @Test
    void adaptersInsteadOfLorasAreRead() {
        ModernAlbertConfig config = read(MOA);
        assertEquals(Experts.Kind.ADAPTERS, config.experts().kind());
        assertEquals(4, config.experts().reduction());
        assertEquals(2624, config.experts().hidden());
        assertEquals(1e-12f, config.normEps());
        assertEquals(AdapterPlaces.NONE, config.adapters());
    }

    @Test
    void thePrototypesGroupsAreRead() {
        ModernAlbertConfig config = read(PROTOTYPE);
        assertEquals(List.of(3, 3, 2, 2, 2, 2, 2, 2), config.rounds());
        assertEquals(
                List.of(false, false, true, true, true, true, true, true), config.hasExperts());
        assertEquals(1, config.experts().chosen());
        assertEquals(0.01, config.experts().balancing());
        assertEquals(16, config.adapters().reduction());
    }

    /** Two names of one setting, which may both be there if they agree. */
    @Test
    void theOtherNamesOfSettingsAreRead() {
        String adapters = "\"use_adapter\": true";
        AdapterPlaces wanted = new AdapterPlaces(16, true, true);
        for (String other :
                List.of("\"use_adapters\": true", adapters + ", \"use_adapters\": true")) {
            assertEquals(wanted, read(TINY_V2.replace(adapters, other)).adapters());
            assertEquals(wanted, read(PROTOTYPE.replace(adapters, other)).adapters());
        }
        String off = TINY_V2.replace(adapters, "\"use_adapters\": false");
        assertEquals(AdapterPlaces.NONE, read(off).adapters());
        String twice = "\"top_k\": 1, \"top_k_experts\": 1, \"router_aux_loss_coef\": 1e-1";
        assertEquals(read(TINY_V2), read(TINY_V2.replace("\"top_k\": 1", twice)));
        String quiet = "\"top_k\": 1, \"routing_noise_type\": \"none\", \"routing_noise_std\": 1";
        assertEquals(read(TINY_V2), read(TINY_V2.replace("\"top_k\": 1", quiet)));
    }

    @Test
    void whatIsSeenMayDifferFromLayerToLayer() {
        String half = "\"group_depth\": 2, \"global_attn_every_n_layers\": 3";
        ModernAlbertConfig config =
                read(TINY_V2.replace("\"group_depth\": 2", half + ", \"rope_theta\": 5000"));
        assertEquals(new Sight(0, 5000), config.sights().get(0));
        assertEquals(new Sight(64, 5000), config.sights().get(1));
        assertEquals(new Sight(0, 5000), config.sights().get(3));
        String own = "\"group_depth\": 14, \"rope_thetas\": [2,3,4,5,6,7,8,9,10,11,12,13,14,15]";
        String one = TINY_V2.replace("\"num_expert_modules\": 2", "\"num_expert_modules\": 1");
        ModernAlbertConfig each = read(one.replace("\"group_depth\": 2", own));
        assertEquals(15, each.sights().get(13).theta());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"group_depth\": 2|\"group_depth\": 4|'group_depth' 4 does not divide 'num_hidden_layers' 14",
                "\"group_depth\": 2|\"group_depth\": 2, \"group_layers\": 2|'group_depth' 2 times 'group_layers' 2 does not divide",
                "\"group_depth\": 2|\"group_rounds\": [7, 6]|'group_rounds' [7, 6] of 1 layers each are not 'num_hidden_layers' 14",
                "\"top_k\": 1|\"top_k\": 5|'top_k' is 5, but there are only 4 experts ('num_experts')",
                "\"top_k\": 1|\"top_k\": 0|'top_k' is 0; it must be 1 to",
                "\"top_k\": 1|\"routing_noise_type\": \"gumbel\"|'routing_noise_type' is 'gumbel', whose formula is not published",
                "\"top_k\": 1|\"use_gated_residual\": true|'use_gated_residual' is true, whose formula is not published",
                "\"top_k\": 1|\"concat_routing_inputs\": true|'concat_routing_inputs' is true, whose formula is not published",
                "\"top_k\": 1|\"router_warmup_steps\": 7000|'router_warmup_steps' is 7000, whose formula is not published",
                "\"num_expert_modules\": 2|\"num_expert_modules\": 8|8 groups are to have experts, there are 7",
                "\"num_expert_modules\": 2|\"num_expert_modules\": 0|no group has experts: name them in 'expert_groups'",
                "\"num_expert_modules\": 2|\"expert_groups\": [0]|'expert_groups' names group 0; groups are numbered 1 to 7",
                "\"num_experts\": 4|\"num_experts\": 0, \"expert_kind\": \"mol\"|'expert_kind' is 'mol', but 'num_experts' is 0",
                "\"num_experts\": 4|\"num_experts\": 4, \"expert_kind\": \"lora\"|mol, moa, rrt, static and none are known",
                "\"num_attention_heads\": 12|\"num_attention_heads\": 13|'hidden_size' 768 can not be shared by 13 heads",
                "\"hidden_act\": \"gelu\"|\"hidden_act\": \"relu\"|a mixture of LoRAs is defined for 'hidden_act' gelu",
                "\"hidden_act\": \"gelu\"|\"hidden_act\": \"gelu\", \"mlp_bias\": true|'mlp_bias' is true; only false is supported",
                "\"adapter_reduction\": 16|\"adapter_reduction\": 7|'adapter_reduction' 7 does not divide 'hidden_size' 768",
                "\"adapter_reduction\": 16|\"adapter_places\": [\"embedding\"]|attention and feed_forward are known",
                "\"group_depth\": 2|\"group_depth\": 2, \"first_attention_norm\": \"none\"|'first_attention_norm' none is for a first group of one round, it has 2",
                "\"group_depth\": 2|\"group_depth\": 2, \"rope_thetas\": [1]|'rope_thetas' must be a number above 1 for each of 14 layers",
                "\"use_adapter\": true|\"use_adapter\": true, \"use_adapters\": false|'use_adapter' is true, but 'use_adapters', the same setting, is false: remove one",
                "\"use_adapter\": true|\"use_adapters\": 1|'use_adapters' must be true or false, it is 1",
                "\"adapter_reduction\": 16|\"adapter_reduction\": 16, \"adapter_reduction_factor\": 8|'adapter_reduction' is 16, but 'adapter_reduction_factor', the same setting, is 8",
                "\"top_k\": 1|\"top_k\": 1, \"top_k_experts\": 2|'top_k' is 1, but 'top_k_experts', the same setting, is 2",
                "\"top_k\": 1|\"router_aux_loss_coef\": 0.2|'load_balancing_loss_coef' is 0.1, but 'router_aux_loss_coef', the same setting, is 0.2",
                "\"hidden_act\": \"gelu\"|\"hidden_act\": \"gelu\", \"hidden_activation\": \"relu\"|'hidden_activation' is relu, but 'hidden_act', the same setting, is gelu",
                "\"layer_norm_eps\": 1e-6|\"layer_norm_eps\": 1e-6, \"norm_eps\": 1e-5|'layer_norm_eps' is 1.0E-6, but 'norm_eps', the same setting, is 1.0E-5",
                "\"top_k\": 1|\"routing_noise_std\": 1.0|'routing_noise_std' is 1.0, whose formula is not published; only 0 is supported",
                "\"group_depth\": 2|\"group_depth\": 2, \"num_static_groups\": 2|'num_static_groups' deals the depth only with 'num_expert_layers', which is missing",
                "\"group_depth\": 2|\"group_depth\": 2, \"static_group_depth\": 3|'static_group_depth' deals the depth only with 'num_expert_layers', which is missing",
                "\"group_depth\": 2|\"group_depth\": 2, \"num_expert_layers\": 6|'num_expert_layers' is 6, but 'num_expert_modules', the same setting, is 2",
                "\"group_depth\": 2|\"group_depth\": 2, \"num_expert_layers\": 2|'group_depth' is 2, but 'num_expert_layers' deals the depth as [7, 7]",
                "\"top_k\": 1|\"expert_mixture\": \"both\"|'expert_mixture' is 'both'; outputs and weights are known",
            })
    void settingsThatDoNotFitAreNamed(String setting, String other, String message) {
        assertTrue(TINY_V2.contains(setting), setting);
        CheckpointException e =
                assertThrows(
                        CheckpointException.class, () -> read(TINY_V2.replace(setting, other)));
        assertTrue(e.getMessage().contains(message), e::getMessage);
        assertTrue(e.getMessage().startsWith("config.json: "), e::getMessage);
    }

    @Test
    void aPrototypeWhoseDepthDoesNotFitIsNamed() {
        String other = PROTOTYPE.replace("\"num_expert_layers\": 6", "\"num_expert_layers\": 5");
        CheckpointException e = assertThrows(CheckpointException.class, () -> read(other));
        assertTrue(
                e.getMessage().contains("12 of 18 layers are left for 'num_expert_layers' 5"),
                e::getMessage);
    }
}

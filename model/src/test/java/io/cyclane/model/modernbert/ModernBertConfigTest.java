package io.cyclane.model.modernbert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.checkpoint.CheckpointException;
import io.cyclane.model.checkpoint.ModelConfig;
import io.cyclane.model.layer.Sight;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModernBertConfigTest {
    private static final String COMMON =
            """
            {"vocab_size": 320, "hidden_size": 48, "num_hidden_layers": 5, "num_attention_heads": 4,
             "intermediate_size": 80, "max_position_embeddings": 256, "local_attention": 128,
             "hidden_activation": "gelu", "norm_eps": 1e-5, "layer_norm_eps": 1e-12,
             "position_embedding_type": "absolute", "classifier_pooling": "mean",\
            """;
    private static final String FORMER =
            COMMON
                    + """
                     "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
                     "local_rope_theta": 10000.0}\
                    """;
    private static final String LATER =
            COMMON
                    + """
                     "global_attn_every_n_layers": 2,
                     "layer_types": ["full_attention", "sliding_attention", "sliding_attention",
                                     "full_attention", "sliding_attention"],
                     "rope_parameters": {
                       "full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                       "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}}\
                    """;

    private static ModernBertConfig read(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        return ModernBertConfig.of(ModelConfig.parse("config.json", bytes));
    }

    @Test
    void bothDialectsSayTheSame() {
        ModernBertConfig former = read(FORMER);
        assertEquals(former, read(LATER));
        Sight far = new Sight(0, 160_000);
        Sight near = new Sight(64, 10_000);
        assertEquals(List.of(far, near, near, far, near), former.sights());
        assertEquals(1e-5f, former.normEps());
        assertTrue(former.isTied() && former.decoderBias() && !former.normBias());
    }

    @Test
    void localLayersWithoutABaseOfTheirOwnTakeTheOthers() {
        ModernBertConfig absent = read(FORMER.replace("\"local_rope_theta\": 10000.0", "\"x\": 0"));
        ModernBertConfig isNull =
                read(
                        FORMER.replace(
                                        "\"local_rope_theta\": 10000.0",
                                        "\"local_rope_theta\": null")
                                .replace("160000.0", "80000.0"));
        assertEquals(new Sight(64, 10_000), absent.sights().get(1));
        assertEquals(new Sight(64, 80_000), isNull.sights().get(1));
        assertEquals(new Sight(0, 80_000), isNull.sights().get(0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"local_attention\": 128|\"local_attention\": 1|'local_attention' is 1",
                "\"hidden_size\": 48|\"hidden_size\": 50|can not be shared by 4 heads",
                "\"num_hidden_layers\": 5|\"num_hidden_layers\": 6|names 5 layers",
                "\"rope_type\": \"default\"|\"rope_type\": \"yarn\"|only default is supported",
                "160000.0|1|the rotary base of full_attention is 1.0",
                "\"full_attention\", \"sl|\"chunked\", \"sl|'layer_types' names 'chunked'",
                "\"mean\"|\"max\"|cls and mean are known",
                "\"gelu\"|\"mish\"|'hidden_activation' is 'mish'",
                "\"vocab_size\": 320|\"vocab_size\": 0|it must be 1 to",
            })
    void whatItDoesNotDoIsRefused(String right, String wrong, String message) {
        assertTrue(LATER.contains(right), right);
        CheckpointException e =
                assertThrows(
                        CheckpointException.class,
                        () -> read(LATER.replaceFirst(Pattern.quote(right), wrong)));
        assertTrue(e.getMessage().contains(message), e::getMessage);
    }
}

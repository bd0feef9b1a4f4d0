package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ModelConfigTest {
    private static final String CONFIG =
            """
            {"model_type": "bert", "hidden_size": 384, "layer_norm_eps": 1e-12, "norm_bias": false,
             "scale": 2, "half": 0.5, "huge": 1000000000000000019884624838656, "nothing": null,
             "layer_types": ["full_attention", "sliding_attention"], "sizes": [1, 2],
             "rates": [1, 0.5], "odd": [1, null, "x"], "task": {"id2label": {"0": "no", "1": "yes"}},
             "parts": [{"a": 1}, {"a": 2}], "quoted": "50"}
            """;

    private static ModelConfig config(String json) {
        return ModelConfig.parse("config 'c.json'", json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsEveryKind() {
        ModelConfig config = config(CONFIG);
        assertEquals("bert", config.string("model_type"));
        assertEquals(384, config.integer("hidden_size"));
        assertEquals(1e-12, config.number("layer_norm_eps"));
        assertEquals(2.0, config.number("scale"));
        assertFalse(config.flag("norm_bias"));
        assertEquals(List.of("full_attention", "sliding_attention"), config.strings("layer_types"));
        assertEquals(List.of(1, 2), config.integers("sizes"));
        assertEquals(List.of(1.0, 0.5), config.numbers("rates"));
        assertEquals("yes", config.object("task").object("id2label").string("1"));
        assertEquals(Set.of("0", "1"), config.object("task").object("id2label").keys());
        assertEquals(2, config.objects("parts").get(1).integer("a"));
        assertEquals(1e30, config.number("huge"), 1e15);
        assertTrue(config.has("scale"));
    }

    @Test
    void takesTheOtherValueForWhatIsNotThereOrNull() {
        ModelConfig config = config(CONFIG);
        assertFalse(config.has("nothing"));
        for (String key : List.of("nothing", "absent")) {
            assertEquals("gelu", config.string(key, "gelu"));
            assertEquals(7, config.integer(key, 7));
            assertEquals(0.5, config.number(key, 0.5));
            assertTrue(config.flag(key, true));
        }
        assertEquals("bert", config.string("model_type", "x"));
        assertEquals(384, config.integer("hidden_size", 7));
        assertFalse(config.flag("norm_bias", true));
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                wrong("'absent' is missing", c -> c.string("absent")),
                wrong("'nothing' is missing", c -> c.integer("nothing")),
                wrong("'hidden_size' must be a text, it is 384", c -> c.string("hidden_size")),
                wrong("'hidden_size' must be a text", c -> c.string("hidden_size", "x")),
                wrong("'half' must be an integer", c -> c.integer("half")),
                wrong("of at most 32 bits, it is \"50\"", c -> c.integer("quoted")),
                wrong("a list, it is {\"id2label\":{\"0\":\"no\"", c -> c.strings("task")),
                wrong("'quoted' is \"50\"; only 50 is supported", c -> only(c, "quoted", 50L)),
                wrong("'scale' is 2; it must be 0 to 1", c -> c.numberUpTo(1, "scale", 0)),
                wrong("'huge' must be an integer", c -> c.integer("huge")),
                wrong("'model_type' must be a finite number", c -> c.number("model_type", 1)),
                wrong("'scale' must be true or false, it is 2", c -> c.flag("scale", true)),
                wrong("'scale' must be an object", c -> c.object("scale")),
                wrong("'scale' must be a list", c -> c.integers("scale")),
                wrong(
                        "'odd[1]' must be an integer of at most 32 bits, it is null",
                        c -> c.integers("odd")),
                wrong("'layer_types[0]' must be a finite number", c -> c.numbers("layer_types")),
                wrong(
                        ": task: 'id2label' must be a text",
                        c -> c.object("task").string("id2label")),
                wrong(
                        ": parts[0]: the key 'b' is missing",
                        c -> c.objects("parts").get(0).flag("b")));
    }

    private static boolean only(ModelConfig config, String key, Object known) {
        config.only(key, known);
        return true;
    }

    private static Arguments wrong(String says, Function<ModelConfig, Object> access) {
        return Arguments.of(says, access);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("wrong")
    void namesTheFileAndTheKey(String says, Function<ModelConfig, Object> access) {
        ModelConfig config = config(CONFIG);
        CheckpointException e = assertThrows(CheckpointException.class, () -> access.apply(config));
        assertTrue(e.getMessage().contains(says), e.getMessage());
        assertTrue(e.getMessage().startsWith("config 'c.json'"), e.getMessage());
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "[]|must hold one JSON object",
                "''|it is empty",
                "{\"a\":1|not valid JSON",
                "{\"a\":1,\"a\":2}|uplicate",
                "{\"a\":NaN}|not valid JSON",
                "{} {}|something follows",
                "{'a':1}|not valid JSON",
                "{\"a\":01}|not valid JSON"
            })
    void refusesWhatIsNoObject(String json, String says) {
        CheckpointException e = assertThrows(CheckpointException.class, () -> config(json));
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }

    @Test
    void refusesDepthAndSizeBeyondAnyReason(@TempDir Path folder) {
        CheckpointException deep =
                assertThrows(CheckpointException.class, () -> config("[".repeat(1_000_000)));
        assertTrue(deep.getMessage().contains("not valid JSON"), deep.getMessage());
        Path path = TestFiles.write(folder, "config.json", new byte[(1 << 20) + 1]);
        CheckpointException large =
                assertThrows(CheckpointException.class, () -> ModelConfig.read(path));
        assertTrue(large.getMessage().contains("at most 1048576 are read"), large.getMessage());
        CheckpointException missing =
                assertThrows(
                        CheckpointException.class,
                        () -> ModelConfig.read(folder.resolve("none.json")));
        assertTrue(missing.getMessage().contains("no such file"), missing.getMessage());
    }
}

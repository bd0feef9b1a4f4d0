package io.cyclane.model.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelFolderTest {
    private static final String TYPE = "sentence_transformers.models.";

    @TempDir Path folder;

    @BeforeEach
    void config() throws IOException {
        Files.createDirectory(folder.resolve("1_Pooling"));
        write("config.json", "{\"model_type\":\"bert\"}");
    }

    private void write(String name, String json) {
        TestFiles.write(folder, name, json.getBytes(StandardCharsets.UTF_8));
    }

    private void modules(String... types) {
        StringBuilder json = new StringBuilder();
        for (int i = 0; i < types.length; i++) {
            json.append(i == 0 ? "[" : ",")
                    .append(
                            "{\"idx\":%d,\"name\":\"%d\",\"path\":\"%s\",\"type\":\"%s\"}"
                                    .formatted(i, i, i == 0 ? "" : "1_Pooling", TYPE + types[i]));
        }
        write("modules.json", json + "]");
    }

    @Test
    void readsAPlainFolder() {
        ModelFolder model = ModelFolder.open(folder);
        assertEquals("bert", model.config().string("model_type"));
        assertEquals(Optional.empty(), model.sentence());
        assertEquals(Optional.empty(), model.tokenizer());
        assertEquals(Optional.empty(), model.vocabulary());
        write("vocab.txt", "[PAD]");
        assertEquals(Optional.of(folder.resolve("vocab.txt")), model.vocabulary());
    }

    @Test
    void readsWhatSentenceTransformersSay() {
        modules("Transformer", "Pooling", "Normalize");
        write(
                "1_Pooling/config.json",
                """
                {"word_embedding_dimension": 384, "pooling_mode_cls_token": false,
                 "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false,
                 "pooling_mode_mean_sqrt_len_tokens": false}
                """);
        write("sentence_bert_config.json", "{\"max_seq_length\":256,\"do_lower_case\":false}");
        write(
                "config_sentence_transformers.json",
                """
                {"__version__": {"pytorch": "2"}, "prompts": {"query": "query: ", "document": ""},
                 "default_prompt_name": null}
                """);
        assertEquals(
                new SentenceSettings(
                        Pooling.MEAN,
                        true,
                        OptionalInt.of(256),
                        false,
                        Map.of("query", "query: ", "document", ""),
                        Optional.empty()),
                ModelFolder.open(folder).sentence().orElseThrow());
    }

    @Test
    void readsOlderAndNewerForms() {
        modules("Transformer", "Pooling");
        write("1_Pooling/config.json", "{\"pooling_mode\":\"cls\"}");
        write("sentence_distilbert_config.json", "{\"max_seq_length\":128,\"do_lower_case\":true}");
        write(
                "config_sentence_transformers.json",
                "{\"prompts\":{\"q\":\"Q: \"},\"default_prompt_name\":\"q\"}");
        SentenceSettings settings = ModelFolder.open(folder).sentence().orElseThrow();
        assertEquals(Pooling.CLS, settings.pooling());
        assertFalse(settings.normalize());
        assertEquals(OptionalInt.of(128), settings.maxTokens());
        assertTrue(settings.lowerCase());
        assertEquals(Optional.of("q"), settings.defaultPrompt());
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"pooling_mode_max_tokens\":true}|its pooling is [max_tokens]",
                "{}|its pooling is []",
                "{\"pooling_mode_cls_token\":true,\"pooling_mode_mean_tokens\":true}|[cls_token, mean_tokens]",
                "{\"pooling_mode_cls_token\":1}|must be true or false"
            })
    void refusesPoolingItDoesNotKnow(String pooling, String says) {
        modules("Transformer", "Pooling");
        write("1_Pooling/config.json", pooling);
        assertRefused(says);
    }

    @Test
    void refusesStepsItDoesNotKnow() {
        write("1_Pooling/config.json", "{\"pooling_mode\":\"cls\"}");
        for (List<String> steps :
                List.of(
                        List.of("Transformer", "Pooling", "Dense", "Normalize"),
                        List.of("Pooling", "Transformer"),
                        List.of("Transformer"),
                        List.of("WordEmbeddings", "Pooling"))) {
            modules(steps.toArray(String[]::new));
            assertRefused("its steps are " + steps);
        }
    }

    @Test
    void refusesPathsThatLeaveTheFolder() {
        write("modules.json", "[{\"path\":\"../x\",\"type\":\"a.Transformer\"}]");
        assertRefused("must be the plain name of a folder");
        write("modules.json", "{}");
        assertRefused("must be a list");
    }

    @Test
    void refusesADefaultPromptThatIsNotThere() {
        modules("Transformer", "Pooling");
        write("1_Pooling/config.json", "{\"pooling_mode\":\"cls\"}");
        write("config_sentence_transformers.json", "{\"default_prompt_name\":\"q\"}");
        assertRefused("'default_prompt_name' is 'q'");
    }

    @Test
    void namesAFolderThatIsNotThere() {
        Path none = folder.resolve("none");
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> ModelFolder.open(none));
        assertTrue(e.getMessage().contains("no such folder"), e.getMessage());
    }

    @Test
    void opensEverySharedModel() throws IOException {
        try (Stream<Path> models = Files.list(TestFiles.data("models"))) {
            for (Path path : models.sorted().toList()) {
                ModelFolder model = ModelFolder.open(path);
                assertFalse(model.config().string("model_type").isEmpty());
                model.checkpoint().close();
            }
        }
    }

    private void assertRefused(String says) {
        CheckpointException e =
                assertThrows(CheckpointException.class, () -> ModelFolder.open(folder));
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }
}

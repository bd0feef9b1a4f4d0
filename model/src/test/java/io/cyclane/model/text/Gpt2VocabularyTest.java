package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What tells the kind of a tokenizer that is kept in {@code vocab.json} and {@code merges.txt}. */
class Gpt2VocabularyTest {
    private static final int[] ROBERTA = {0, 5, 6, 2};
    private static final int[] GPT2 = {5, 6};

    @TempDir Path folder;

    private void write(String pieces) throws IOException {
        Files.writeString(folder.resolve("vocab.json"), "{" + pieces + "\"a\": 5, \"b\": 6}");
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
    }

    /** RoBERTa's special tokens, which here a GPT-2 may have as pieces too. */
    private void write() throws IOException {
        write(
                """
                "<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "<|endoftext|>": 7,
                """);
    }

    private int[] ids() {
        return Tokenizer.load(folder).encode("ab", Tokenizer.NO_LIMIT).ids();
    }

    /** As published: gpt2 and roberta-base have a tokenizer_config.json of a length alone. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"tokenizer_class\": \"RobertaTokenizer\"} | {\"model_type\": \"gpt2\"} | true",
                "{\"tokenizer_class\": \"GPT2TokenizerFast\"} | {\"model_type\": \"roberta\"} | false",
                "{\"model_max_length\": 512} | {\"model_type\": \"roberta\"} | true",
                "{\"model_max_length\": 1024} | {\"model_type\": \"gpt2\"} | false",
                "{\"tokenizer_class\": null} | {\"model_type\": \"roberta\"} | true",
                " | {\"model_type\": \"roberta\"} | true",
                " | {\"model_type\": \"gpt2\"} | false",
                " | {\"model_type\": \"modernalbert\"} | true",
                " | {} | true",
                " | | true",
            })
    void theClassElseTheModelElseTheVocabularyTells(
            String tokenizerConfig, String config, boolean isRoberta) throws IOException {
        write();
        if (tokenizerConfig != null) {
            Files.writeString(folder.resolve("tokenizer_config.json"), tokenizerConfig);
        }
        if (config != null) {
            Files.writeString(folder.resolve("config.json"), config);
        }
        assertArrayEquals(isRoberta ? ROBERTA : GPT2, ids());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"model_type\": \"gpt2\"}", "{\"model_type\": \"bert\"}"})
    void withoutRobertasTokensItIsGpt2s(String config) throws IOException {
        write("\"<|endoftext|>\": 7, ");
        assertArrayEquals(GPT2, ids());
        Files.writeString(folder.resolve("config.json"), config);
        assertArrayEquals(GPT2, ids());
    }

    @Test
    void thePublishedGpt2IsReadBesideAnyConfiguration() throws IOException {
        Path data = Vectors.data("tokenizers/gpt2");
        for (String name : new String[] {"vocab.json.gz", "merges.txt.gz"}) {
            Files.copy(data.resolve(name), folder.resolve(name));
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\": 1024}");
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"gpt2\"}");
        Vectors.Vector vector = Vectors.of("gpt2").getFirst();
        Tokenizer tokenizer = Tokenizer.load(folder);
        assertArrayEquals(vector.ids(), tokenizer.encode(vector.text(), Tokenizer.NO_LIMIT).ids());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"tokenizer_class\": \"CLIPTokenizer\"} | {} | wanted GPT2Tokenizer or RobertaTokenizer, found \"CLIPTokenizer\"",
                "{} | {\"model_type\": \"xlm-roberta\"} | config.json.model_type: wanted roberta or gpt2",
                "{} | {\"model_type\": \"camembert\"} | found \"camembert\"",
                "{} | {\"model_type\": 5} | config.json.model_type: wanted a string, found 5",
            })
    void anotherKindIsRefused(String tokenizerConfig, String config, String says)
            throws IOException {
        write();
        Files.writeString(folder.resolve("tokenizer_config.json"), tokenizerConfig);
        Files.writeString(folder.resolve("config.json"), config);
        TokenizerException e = assertThrows(TokenizerException.class, this::ids);
        assertTrue(e.getMessage().contains(says), e::getMessage);
    }

    @Test
    void aRobertaWithoutItsTokensIsRefused() throws IOException {
        write("");
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"roberta\"}");
        TokenizerException e = assertThrows(TokenizerException.class, this::ids);
        assertTrue(e.getMessage().contains("lacks the piece <s>"), e::getMessage);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tokenizers/t5/spiece.model.gz",
                "tokenizers/bpemb-en-10000/en.wiki.bpe.vs10000.model.gz"
            })
    void aSentencePieceModelIsNamed(String name) throws IOException {
        Path model = Vectors.data(name);
        TokenizerException e = assertThrows(TokenizerException.class, () -> Tokenizer.load(model));
        assertEquals(
                model
                        + " is a SentencePiece model, which is not supported yet:"
                        + " wanted tokenizer.json, vocab.txt, or vocab.json with merges.txt",
                e.getMessage());
        Path copy = Files.copy(model, folder.resolve("spiece.model.gz"));
        e = assertThrows(TokenizerException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains("but 'spiece.model.gz', and"), e::getMessage);
        Files.move(copy, folder.resolve("tokenizer.json"));
        e = assertThrows(TokenizerException.class, () -> Tokenizer.load(folder));
        assertTrue(e.getMessage().contains("is a SentencePiece model"), e::getMessage);
    }
}

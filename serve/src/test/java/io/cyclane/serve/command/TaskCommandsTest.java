package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.RandomModel;
import io.cyclane.model.Task;
import io.cyclane.model.checkpoint.SafetensorsWriter;
import io.cyclane.model.checkpoint.StoredTensor;
import io.cyclane.model.checkpoint.StoredType;
import io.cyclane.serve.CommandRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands that want a head, on a small random model; and those that want a tokenizer. */
class TaskCommandsTest {
    private static final String CONFIG =
            """
            {"model_type": "albert", "vocab_size": 12, "embedding_size": 8, "hidden_size": 16,
             "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
             "max_position_embeddings": 16, "type_vocab_size": 2, "hidden_act": "gelu_new",
             "id2label": {"0": "%s"%s}}
            """;
    private static final List<String> WORDS =
            List.of(
                    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sleeps", "rug",
                    "##s", "on", "a");

    @TempDir Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.write(folder.resolve("vocab.txt"), WORDS);
        config("O", ", \"1\": \"B-X\"");
        RandomModel.write(folder, 1, Task.CLASSIFICATION, Task.QUESTION_ANSWERING, Task.FILL_MASK);
    }

    private void config(String label, String more) throws IOException {
        Files.writeString(folder.resolve("config.json"), CONFIG.formatted(label, more));
    }

    private CommandRun run(String... arguments) {
        return piped("", arguments);
    }

    private CommandRun piped(String input, String... arguments) {
        String[] all = new String[arguments.length + 2];
        System.arraycopy(arguments, 0, all, 0, arguments.length);
        all[arguments.length] = "--model";
        all[arguments.length + 1] = folder.toString();
        CommandRun run = CommandRun.piped(input, all);
        assertEquals(0, run.exitCode(), run::err);
        return run;
    }

    @Test
    void classifyPrintsTheLikeliestLabelOrAll() {
        String line = run("classify", "the cat").out();
        assertTrue(line.matches("[01]\\.\\d{4}  (O|B-X)  the cat\n"), line);
        assertEquals(line, piped("the cat\n", "classify", "-").out());
        String json = run("classify", "--json", "the cat").out();
        assertTrue(
                json.matches(
                        "\\{\"text\":\"the cat\",\"labels\":\\[\\{\"label\":\"(O|B-X)\","
                                + "\"score\":[0-9.E-]+\\},\\{.*\\}\\]\\}\n"),
                json);
        String pair = run("classify", "--pairs", "the cat", "a rug").out();
        assertTrue(pair.endsWith("  the cat | a rug\n"), pair);
        assertEquals(pair, piped("[\"the cat\",\"a rug\"]\n", "classify", "--pairs", "-").out());
        String entities = run("classify", "--entities", "--json", "the cat").out();
        assertTrue(entities.startsWith("{\"text\":\"the cat\",\"entities\":["), entities);
    }

    @Test
    void longTextsAreCountedAndEitherCutOrChunked() {
        String text = "the cat sleeps on a rug ".repeat(5);
        CommandRun cut = run("classify", text);
        assertTrue(cut.err().startsWith("1 of 1 texts were cut at 16 tokens"), cut::err);
        CommandRun chunked = run("classify", "--long", "chunk", text);
        assertEquals("1 of 1 texts were read in parts of at most 16 tokens\n", chunked.err());
        assertTrue(!chunked.out().equals(cut.out()));
    }

    @Test
    void masksOfLongTextsAreCountedAndFilledInParts() {
        String text = "[MASK] ".repeat(200);
        CommandRun cut = run("fill-mask", "--top", "1", text);
        assertEquals(14, cut.out().lines().count());
        assertTrue(cut.err().startsWith("1 of 1 texts were cut at 16 tokens"), cut::err);
        CommandRun parts =
                run("fill-mask", "--top", "1", "--long", "chunk", "--max-tokens", "10", text);
        assertEquals(200, parts.out().lines().count());
        assertEquals("1 of 1 texts were read in parts of at most 10 tokens\n", parts.err());
    }

    @Test
    void rerankPutsTheBestFirst() throws IOException {
        config("score", "");
        RandomModel.write(folder, 2, Task.RERANKING);
        String plain = run("rerank", "a cat", "the rug", "the cat sleeps", "on").out();
        assertEquals(3, plain.lines().count());
        assertEquals(plain, piped("the rug\nthe cat sleeps\non\n", "rerank", "a cat", "-").out());
        String raw = run("rerank", "--raw", "--json", "a cat", "the rug", "on").out();
        assertTrue(
                raw.matches("(\\{\"index\":[01],\"score\":-?[0-9.E-]+,\"text\":.*\\}\n){2}"), raw);
    }

    @Test
    void answerAndFillMaskPrintWordsOfTheText() {
        String answer = run("answer", "--json", "the cat", "a cat sleeps on the rug").out();
        assertTrue(answer.startsWith("{\"question\":\"the cat\",\"answer\":\""), answer);
        assertTrue(answer.matches("(?s).*\"no_answer_probability\":[0-9.E-]+\\}\n"), answer);
        assertEquals(
                run("answer", "the cat", "a cat sleeps\non the rug").out(),
                piped("a cat sleeps\non the rug\n", "answer", "the cat", "-").out());
        assertEquals(3, run("fill-mask", "--top", "3", "the [MASK] sleeps").out().lines().count());
        String json = run("fill-mask", "--json", "--top", "1", "[MASK] cat [MASK]").out();
        assertTrue(
                json.matches(
                        "\\{\"text\":\"\\[MASK\\] cat \\[MASK\\]\",\"masks\":\\[\\[\\{\"token\":.*"
                                + "\\}\\],\\[\\{.*\\}\\]\\]\\}\n"),
                json);
    }

    @Test
    void codePointsAreCountedInOnePass() {
        String text = "\ud83d\ude00\ud83d\ud83d\ude00a\ude00\ud83d";
        int[] reads = {0};
        CharSequence counted =
                (CharSequence)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {CharSequence.class},
                                (proxy, method, arguments) -> {
                                    reads[0] += method.getName().equals("charAt") ? 1 : 0;
                                    return method.invoke(text, arguments);
                                });
        int[] points = Tokenize.points(counted);
        for (int i = 0; i <= text.length(); i++) {
            assertEquals(text.codePointCount(0, i), points[i], "place " + i);
        }
        assertEquals(text.length(), reads[0]);
    }

    @Test
    void tokenizeReadsJsonAndPrintsIds() {
        String[] command = {"tokenize", "--tokenizer", folder.toString()};
        CommandRun run = CommandRun.piped("\"the cats \\ud83d\\ude00 a\"\n\n\"\"\n", command);
        assertEquals("[2,5,6,9,1,11,3]\n[2,3]\n", run.out());
        CommandRun offsets =
                CommandRun.piped(
                        "\"the cats \\ud83d\\ude00 a\"\n",
                        "tokenize",
                        "--offsets",
                        "--tokenizer",
                        folder.toString());
        assertEquals(
                "{\"ids\":[2,5,6,9,1,11,3],"
                        + "\"tokens\":[\"[CLS]\",\"the\",\"cat\",\"##s\",\"[UNK]\",\"a\",\"[SEP]\"],"
                        + "\"offsets\":[[0,0],[0,3],[4,7],[7,8],[9,10],[11,12],[0,0]]}\n",
                offsets.out());
        CommandRun pairs =
                CommandRun.piped(
                        "[\"the cat\", \"a rug\"]\n",
                        "tokenize",
                        "--pairs",
                        "--tokenizer",
                        folder.toString());
        assertEquals("[2,5,6,3,11,8,3]\n", pairs.out());
        CommandRun text =
                CommandRun.piped(
                        "[2,5,6,9,3]\n[]\n",
                        "tokenize",
                        "--decode",
                        "--tokenizer",
                        folder.toString());
        assertEquals("\"the cats\"\n\"\"\n", text.out());
        CommandRun cut =
                CommandRun.piped(
                        "\"the cat sleeps\"\n",
                        "tokenize",
                        "--max-tokens",
                        "4",
                        "--tokenizer",
                        folder.resolve("vocab.txt").toString());
        assertEquals("[2,5,6,3]\n", cut.out());
        assertEquals("1 texts were cut at 4 tokens\n", cut.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"the cat", "[1]", "\"a\" \"b\"", "\"open", "null"})
    void aLineThatIsNoJsonStringIsNamed(String line) {
        CommandRun run =
                CommandRun.piped(
                        "\"a\"\n" + line + "\n", "tokenize", "--tokenizer", folder.toString());
        assertEquals(1, run.exitCode());
        assertTrue(run.err().startsWith("cyclane tokenize: standard input, line 2: "), run::err);
        assertEquals(1, run.err().lines().count(), run::err);
    }

    @Test
    void convertAndExportWriteFiles() throws IOException {
        Path half = folder.resolve("half");
        String said = run("convert", "--dtype", "bf16", "--out", half.toString()).out();
        assertTrue(said.startsWith(half + ": "), said);
        assertTrue(said.contains(" bytes as bf16 (were "), said);
        CommandRun classified = CommandRun.of("classify", "--model", half.toString(), "the cat");
        assertEquals(0, classified.exitCode(), classified::err);
        Path onnx = folder.resolve("model.onnx");
        run("export", "onnx", "--task", "classify", "--out", onnx.toString());
        assertTrue(Files.size(onnx) > 1000);
    }

    @Test
    void convertClaimsATypeOnlyForWhatHasIt() throws IOException {
        Path bytes = Files.createDirectory(folder.resolve("bytes"));
        Files.writeString(bytes.resolve("config.json"), "{\"model_type\": \"model2vec\"}");
        SafetensorsWriter.write(
                bytes.resolve("model.safetensors"),
                List.of(
                        new StoredTensor(
                                "embeddings",
                                StoredType.I8,
                                List.of(12L, 2L),
                                MemorySegment.ofArray(new byte[24]))),
                Map.of());
        String to = folder.resolve("floats").toString();
        CommandRun run =
                CommandRun.of(
                        "convert", "--model", bytes.toString(), "--dtype", "f32", "--out", to);
        assertEquals(to + ": 1 tensors, 24 bytes (were 24): 0 as f32, 1 left as i8\n", run.out());
    }

    @Test
    void aMissingHeadIsOneLineThatNamesTheWayOut() throws IOException {
        RandomModel.write(folder, 3);
        CommandRun run = CommandRun.of("classify", "--model", folder.toString(), "the cat");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("the head is missing"), run::err);
        assertEquals(1, run.err().lines().count(), run::err);
        assertTrue(run("classify", "--random-head", "the cat").out().endsWith("  the cat\n"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "classify",
                "classify - text",
                "classify --pairs one",
                "classify --pairs --entities a b",
                "classify --long never text",
                "rerank query",
                "answer question",
                "fill-mask",
                "fill-mask --top 0 text",
                "tokenize",
                "tokenize --decode --offsets --tokenizer x",
                "tokenize --max-tokens 0 --tokenizer x",
                "convert --model m --out o",
                "convert --model m --out o --dtype int3",
                "export",
                "export onnx --model m",
                "export onnx --model m --out o --task sing",
            })
    void argumentsWithoutSenseAreOneLineAndExitCode2(String line) {
        CommandRun run = CommandRun.of(line.split(" "));
        assertEquals(2, run.exitCode(), run::err);
        assertEquals(1, run.err().lines().count(), run::err);
    }

    @Test
    void everyCommandHasHelp() {
        for (String command :
                List.of(
                        "classify",
                        "rerank",
                        "answer",
                        "fill-mask",
                        "tokenize",
                        "convert",
                        "export",
                        "export onnx")) {
            CommandRun run = CommandRun.of((command + " --help").split(" "));
            assertEquals(0, run.exitCode(), command);
            assertTrue(run.out().startsWith("Usage: cyclane " + command), run::out);
            assertTrue(!run.out().contains("$"), run::out);
        }
    }
}

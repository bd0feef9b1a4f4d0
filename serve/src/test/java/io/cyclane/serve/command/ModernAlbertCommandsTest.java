package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.Inspector;
import io.cyclane.model.Inspector.Inspection;
import io.cyclane.model.RandomModel;
import io.cyclane.serve.CommandRun;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands around a ModernALBERT, on a small random one. */
class ModernAlbertCommandsTest {
    private static final String CONFIG =
            """
            {"model_type": "ModernALBERT", "vocab_size": 12, "embedding_size": 8,
             "hidden_size": 16, "num_hidden_layers": 4, "group_depth": 2, "expert_groups": [2],
             "num_attention_heads": 2, "intermediate_size": 24, "num_experts": 3, "top_k": 2,
             "lora_rank": 2, "lora_alpha": 4, "hidden_act": "gelu",
             "max_position_embeddings": 16}
            """;
    private static final List<String> WORDS =
            List.of(
                    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sleeps", "rug",
                    "##s", "on", "a");

    @TempDir Path temporary;
    private Path model;

    @BeforeEach
    void write() throws IOException {
        model = Files.createDirectory(temporary.resolve("model"));
        Files.write(model.resolve("vocab.txt"), WORDS);
        Files.writeString(model.resolve("config.json"), CONFIG);
        RandomModel.write(model, 1);
    }

    private static String run(String... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(0, run.exitCode(), run::err);
        return run.out();
    }

    private static String fails(int exitCode, String... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(exitCode, run.exitCode(), run::err);
        assertEquals("", run.out());
        return run.err();
    }

    private String path(String name) {
        return temporary.resolve(name).toString();
    }

    @Test
    void mergeTellsHowFarOutputsMove() throws IOException {
        Path texts = Files.writeString(temporary.resolve("texts"), "the cat sleeps\n\na rug\n");
        String[] merge = {
            "merge",
            "--model",
            model.toString(),
            "--mode",
            "ema",
            "--over",
            "factors",
            "--emit",
            "svd",
            "--rank",
            "1",
            "--calibrate",
            texts.toString(),
            "--out",
            path("merged")
        };
        String out = run(merge);
        assertTrue(
                out.matches(
                        "groups\\.1\\.layers\\.0\\.mlp( 0\\.\\d{4}){3}\n"
                                + ".*merged: beside the weights, rank 1\n"
                                + "hidden states of 9 tokens in 2 texts, before and after: mean"
                                + " cosine 0\\.\\d{6}, max error \\S+ \\(RMS \\S+\\)\n"),
                out);
        assertTrue(fails(1, merge).contains("exists already"));
        String[] again = merge.clone();
        again[2] = path("merged");
        again[again.length - 1] = path("again");
        assertTrue(fails(1, again).contains("its experts are merged already (ema, over factors"));
        String json = run("merge", "--model", model.toString(), "--json", "--out", path("fold"));
        assertTrue(json.startsWith("{\"rank\":0,\"texts\":8,\"tokens\":"), json);
        assertTrue(json.contains("\"shares\":{\"groups.1.layers.0.mlp\":[0.333"), json);
    }

    @Test
    void mergeSaysHowManyTextsWereCut() throws IOException {
        String word = "cat ".repeat(30);
        Path texts = Files.writeString(temporary.resolve("texts"), "a rug\n" + word + "\n");
        String[] merge = {
            "merge", "--model", model.toString(), "--calibrate", texts.toString(), "--out"
        };
        CommandRun run = CommandRun.of(with(merge, path("merged")));
        assertTrue(run.out().contains("hidden states of 20 tokens in 2 texts,"), run::out);
        assertEquals(
                "1 of 2 texts were cut at 16 tokens (--max-tokens sets the limit)\n", run.err());
        CommandRun less = CommandRun.of(with(merge, path("less"), "--max-tokens", "3"));
        assertTrue(less.out().contains("hidden states of 6 tokens in 2 texts,"), less::out);
        assertTrue(less.err().startsWith("2 of 2 texts were cut at 3 tokens"), less::err);
        String[] more = with(merge, path("more"), "--max-tokens", "17");
        assertTrue(fails(1, more).contains("17 tokens of a text were asked for, model '" + model));
    }

    @Test
    void textsThatCanNotBeReadAreNamed() throws IOException {
        String[] merge = {
            "merge", "--model", model.toString(), "--out", path("merged"), "--calibrate"
        };
        String none = path("none");
        assertEquals("cyclane merge: there is no file " + none + "\n", fails(1, with(merge, none)));
        Path latin =
                Files.write(temporary.resolve("latin"), new byte[] {'a', '\n', (byte) 0xE9, '\n'});
        assertTrue(fails(1, with(merge, latin.toString())).contains(latin + ", line 2: not UTF-8"));
        Path empty = Files.writeString(temporary.resolve("empty"), "\n \n");
        assertTrue(fails(2, with(merge, empty.toString())).contains(empty + " holds no text"));
        String folder = temporary.toString();
        assertTrue(fails(2, with(merge, folder)).contains("give a plain file"));
        try (Stream<Path> left = Files.list(temporary)) {
            assertTrue(left.noneMatch(path -> path.getFileName().toString().contains("merged")));
        }
    }

    @Test
    void mergeRefusesWhatMakesNoSense() {
        String[] common = {"merge", "--model", model.toString(), "--out", path("merged")};
        assertTrue(fails(2, with(common, "--mode", "ema")).contains("give texts with --calibrate"));
        assertTrue(fails(2, with(common, "--emit", "svd")).contains("factors by SVD need a rank"));
        assertTrue(fails(2, with(common, "--rank", "2")).contains("a rank is for factors by SVD"));
        assertTrue(fails(2, with(common, "--mode", "mean")).contains("'mean'"));
    }

    private static String[] with(String[] arguments, String... more) {
        String[] all = java.util.Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return all;
    }

    @Test
    void inspectShowsRoundsAndRouters() throws IOException {
        Path png = temporary.resolve("inspect.png");
        String[] inspect = {
            "inspect", "--model", model.toString(), "--text", "the cats sleeps on a rug"
        };
        String out = run(with(inspect, "--png", png.toString()));
        assertTrue(
                out.matches(
                        "(round \\d   cosine to the one before -?[01]\\.\\d{4}\n){4}"
                                + "(groups\\.1\\.layers\\.0\\.mlp round [12] shares( [01]\\.\\d{3}){3}\n){2}"
                                + ".*inspect\\.png: drawn\n"),
                out);
        BufferedImage image = ImageIO.read(png.toFile());
        assertTrue(image.getWidth() >= 480 && image.getHeight() > 300);
        String json = run(with(inspect, "--json", "--max-tokens", "4"));
        assertEquals(6, json.lines().count());
        assertTrue(
                json.lines()
                        .skip(4)
                        .allMatch(line ->
                                line.contains("{\"token\":\"[CLS]\",\"experts\":[")
                                        && line.split("\"token\"").length == 5),
                json);
        assertTrue(fails(2, with(inspect, "--max-tokens", "0")).contains("at least 1"));
        assertEquals(
                "cyclane inspect: 17 tokens of a text were asked for, model '%s' reads at most 16\n"
                        .formatted(model),
                fails(1, with(inspect, "--max-tokens", "17")));
        assertEquals("", CommandRun.of(inspect).err());
        CommandRun many =
                CommandRun.of("inspect", "--model", model.toString(), "--text", "cat ".repeat(30));
        assertTrue(many.out().startsWith("round 1 "), many::out);
        assertEquals(
                "1 of 1 texts were cut at 16 tokens (--max-tokens sets the limit)\n", many.err());
        String nowhere = path("no folder/inspect.png");
        CommandRun run = CommandRun.of(with(inspect, "--png", nowhere));
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("can not be written"), run::err);
    }

    /** In text, JSON and picture, where a group runs as a loop for each of its rounds. */
    @Test
    void inspectCountsRoundsInTheirGroup() throws IOException {
        String mixed = CONFIG.replaceFirst("\\{", "{\"global_attn_every_n_layers\": 2, ");
        Files.writeString(model.resolve("config.json"), mixed);
        String[] inspect = {"inspect", "--model", model.toString(), "--text", "the cat"};
        String router = "groups.1.layers.0.mlp";
        String out = run(inspect);
        String json = run(with(inspect, "--json"));
        Inspection inspection;
        try (Inspector inspector = Inspector.open(model.toString(), 2)) {
            inspection = inspector.inspect(new int[] {5, 6});
        }
        assertEquals(2, inspection.routings().size());
        for (int round = 1; round <= 2; round++) {
            assertTrue(out.contains("\n" + router + " round " + round + " shares"), out);
            String line = "{\"router\":\"" + router + "\",\"round\":" + round + ",";
            assertTrue(json.contains(line), json);
            assertEquals(
                    "groups.1, round " + round,
                    InspectPicture.label(inspection.routings().get(round - 1)));
        }
    }

    @Test
    void planDrawsItsSlots() throws IOException {
        Path png = temporary.resolve("plan.png");
        run("plan", "--tokens", "9", "--sequences", "2", "--png", png.toString());
        BufferedImage image = ImageIO.read(png.toFile());
        // The carry's colour, in the middle of the lower half.
        assertEquals(0xffe08e45, image.getRGB(image.getWidth() / 3, image.getHeight() - 60));
    }

    @Test
    void newRefusesAFolderThatIsThere() {
        String[] again = {"new", "--variant", "tiny", "--out", model.toString()};
        assertTrue(fails(1, again).contains("exists already"));
        assertTrue(fails(2, "new", "--variant", "huge", "--out", path("n")).contains("'huge'"));
        assertTrue(
                fails(1, "new", "--variant", "tiny", "--rounds", "0", "--out", path("n"))
                        .contains("a group is applied 1 to 4096 times, not 0"));
        assertTrue(Files.notExists(temporary.resolve("n")));
    }

    @Test
    void newSaysThatItHasNoTokenizer() {
        String out = path("n");
        CommandRun run = CommandRun.of("new", "--variant", "tiny", "--out", out);
        assertEquals(0, run.exitCode(), run::err);
        assertEquals(
                out
                        + " has no tokenizer yet, and texts can not be read without: put one in, or"
                        + " make it with --tokenizer DIR\n",
                run.err());
    }

    /** What a command reads is not lost to what it writes, and neither is what is no model's. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "new --variant tiny --tokenizer M --out A --force",
                "merge --model M --out A --force",
                "merge --model M --calibrate A/texts --out A --force",
                "convert --model M --dtype bf16 --out A --force",
                "convert --model M --dtype bf16 --out . --force",
                "convert --model M --dtype bf16 --out B --force",
                "export onnx --model M --out A --force",
                "export onnx --model M --out M/config.json --force",
                "export onnx --model M --out M/model.safetensors --force",
                "inspect --model M --text cat --png M/vocab.txt --force"
            })
    void forceDoesNotCostWhatIsRead(String command) throws IOException {
        Path above = Files.createDirectory(temporary.resolve("above"));
        Files.writeString(above.resolve("config.json"), "{}");
        Files.writeString(above.resolve("texts"), "the cat\n");
        Path within = Files.move(model, above.resolve("model"));
        Path notes = Files.createDirectory(temporary.resolve("notes"));
        Files.writeString(notes.resolve("notes"), "mine");
        List<Path> before = all();
        String[] arguments =
                Stream.of(command.split(" "))
                        .map(a -> a.replaceFirst("^M", within.toString()))
                        .map(a -> a.replaceFirst("^A", above.toString()))
                        .map(a -> a.replaceFirst("^B", notes.toString()))
                        .toArray(String[]::new);
        String err = fails(1, arguments);
        assertEquals(1, err.lines().count(), err);
        assertTrue(err.endsWith(": name another\n") || err.endsWith("not a file\n"), err);
        assertEquals(before, all());
        assertEquals(CONFIG, Files.readString(within.resolve("config.json")));
    }

    private List<Path> all() throws IOException {
        try (Stream<Path> files = Files.walk(temporary)) {
            return files.sorted().toList();
        }
    }

    /** Whatever a command writes: nothing that is there gives way unless it is told to. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "new --variant tiny --out",
                "merge --model M --out",
                "convert --model M --dtype bf16 --out",
                "export onnx --model M --out",
                "inspect --model M --text cat --png",
                "plan --tokens 8 --sequences 2 --png"
            })
    void whatIsThereGivesWayByLeaveOnly(String command) throws IOException {
        boolean isFolder = !command.contains("onnx") && !command.contains("png");
        Path out = temporary.resolve("out");
        Path file = isFolder ? Files.createDirectory(out).resolve("notes") : out;
        Files.writeString(file, "mine");
        if (isFolder) {
            Files.writeString(out.resolve("config.json"), "{}");
        }
        String[] write = (command + " " + out).replace(" M ", " " + model + " ").split(" ");
        assertTrue(fails(1, write).contains("out' exists already: name another"));
        assertEquals("mine", Files.readString(file));
        if (!command.startsWith("new")) {
            run(with(write, "--force"));
            assertTrue(Files.notExists(file) || Files.size(file) > 4);
        }
        try (Stream<Path> left = Files.list(temporary)) {
            assertTrue(left.noneMatch(path -> path.toString().endsWith(".tmp")));
        }
    }

    @Test
    void exportAndConvertTakeTheirOptions() throws IOException {
        String out =
                run(
                        "export",
                        "onnx",
                        "--model",
                        model.toString(),
                        "--routing-inputs",
                        "--out",
                        path("m.onnx"));
        assertTrue(out.matches(".*m\\.onnx: [\\d,]+ bytes\n"), out);
        Path table = Files.writeString(temporary.resolve("map"), "model\\.(.*) -> student.$1\n");
        run(
                "convert",
                "--model",
                model.toString(),
                "--weight-map",
                table.toString(),
                "--dtype",
                "bf16",
                "--out",
                path("converted"));
        run("inspect", "--model", path("converted"), "--text", "the cat");
    }

    /** The refusal of foreign names prints the table to complete. */
    @Test
    void aCheckpointWithOtherNamesIsRefusedWithATable() throws IOException {
        Path table = Files.writeString(temporary.resolve("map"), "model\\.(.*) -> other.$1\n");
        run(
                "convert",
                "--model",
                model.toString(),
                "--weight-map",
                table.toString(),
                "--dtype",
                "f32",
                "--out",
                path("other"));
        String[] inspect = {"inspect", "--model", path("other"), "--text", "the cat"};
        String err = fails(1, inspect);
        assertTrue(err.contains("unknown other.final_norm.weight F32 [16]"), err);
        assertTrue(err.contains("\na weight map to complete, for --weight-map:\n"), err);
        assertTrue(
                err.contains("\nother\\.projection\\.weight -> projection.weight  # F32 [16, 8]\n"),
                err);
        Files.writeString(table, err.substring(err.indexOf("\n#")));
        String[] ours = {"inspect", "--model", model.toString(), "--text", "the cat"};
        assertEquals(run(ours), run(with(inspect, "--weight-map", table.toString())));
        Path texts = Files.writeString(temporary.resolve("texts"), "the cat sleeps\na rug\n");
        List<String> told = new ArrayList<>();
        List<byte[]> exported = new ArrayList<>();
        for (String[] from :
                List.of(
                        new String[] {"--model", model.toString()},
                        new String[] {
                            "--model", path("other"), "--weight-map", table.toString()
                        })) {
            String[] merge = {
                "merge",
                "--mode",
                "ema",
                "--calibrate",
                texts.toString(),
                "--out",
                path("merged"),
                "--force"
            };
            told.add(run(with(merge, from)));
            told.add(run("inspect", "--model", path("merged"), "--text", "the cat"));
            run(with(new String[] {"export", "onnx", "--out", path("m.onnx"), "--force"}, from));
            exported.add(Files.readAllBytes(temporary.resolve("m.onnx")));
        }
        assertEquals(told.subList(0, 2), told.subList(2, 4));
        assertArrayEquals(exported.get(0), exported.get(1));
    }
}

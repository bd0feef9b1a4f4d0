package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Processes killed while they write: their targets are whole, or as they were, or not there, and
 * what they leave beside them is gone with the next write.
 */
class KilledWriteTest {
    /** Large enough to be caught at it: 13 MB. */
    private static final String CONFIG =
            """
            {"model_type": "ModernALBERT", "vocab_size": 40000, "embedding_size": 64,
             "hidden_size": 128, "num_hidden_layers": 4, "group_depth": 2, "expert_groups": [2],
             "num_attention_heads": 2, "intermediate_size": 192, "num_experts": 3, "top_k": 2,
             "lora_rank": 2, "lora_alpha": 4, "hidden_act": "gelu", "max_position_embeddings": 16}
            """;

    private static final String FORMER = "former";
    private static final int MOST_TRIES = 20;
    private static final int MOST_MILLIS = 200;

    @TempDir Path temporary;
    private Path place;
    private Path target;
    private Path former;
    private final List<Path> kept = new ArrayList<>();
    private final Random random = new Random(7);

    @BeforeEach
    void write() throws IOException {
        Path model = Files.createDirectory(temporary.resolve("model"));
        Files.writeString(model.resolve("config.json"), CONFIG);
        RandomModel.write(model, 1);
        place = Files.createDirectory(temporary.resolve("place"));
        target = place.resolve("target");
        former = target;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "new --variant tiny --out O",
                "merge --model M --out O",
                "convert --model M --dtype bf16 --out O",
                "export onnx --model M --out O"
            })
    void whatIsLeftGoesWithTheNextWrite(String command) throws Exception {
        kill(command, 1);
    }

    @Tag("long")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "new --variant tiny --out O",
                "merge --model M --out O",
                "convert --model M --dtype bf16 --out O",
                "export onnx --model M --out O"
            })
    void whatIsLeftOfManyGoesWithTheNextWrite(String command) throws Exception {
        kill(command, 30);
    }

    private void kill(String command, int kills) throws Exception {
        List<String> write =
                Stream.of(command.split(" "))
                        .map(word -> word.equals("M") ? temporary + "/model" : word)
                        .map(word -> word.equals("O") ? target.toString() : word)
                        .toList();
        for (int i = 0, left = 0; i < kills || left == 0; i++) {
            assertTrue(i < kills + MOST_TRIES, "all processes ended before they were killed");
            killed(write, i == 0 ? 0 : random.nextInt(MOST_MILLIS));
            left += hidden().size();
            keep();
        }
        runs(write);
        Path whole = Files.move(target, temporary.resolve("whole"));

        former = command.startsWith("export") ? target : target.resolve("config.json");
        List<String> replace = new ArrayList<>(write);
        replace.add("--force");
        for (int i = 0; i < kills; i++) {
            putFormer();
            killed(replace, i == 0 ? 0 : random.nextInt(MOST_MILLIS));
            keep();
        }
        putFormer();
        // What was put aside comes back first of all, so that this is refused.
        assertEquals(1, CommandRun.of(write.toArray(String[]::new)).exitCode());
        assertEquals(FORMER, Files.readString(former));
        runs(replace);
        assertSame(whole, target);
        for (Path each : kept) {
            assertSame(whole, each);
        }
    }

    private void runs(List<String> arguments) throws IOException {
        CommandRun run = CommandRun.of(arguments.toArray(String[]::new));
        assertEquals(0, run.exitCode(), run::err);
        assertEquals(List.of(), hidden());
    }

    /** Kills a process so long after it began to write. */
    private void killed(List<String> write, int millis) throws Exception {
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        arguments.addAll(List.of("-cp", System.getProperty("java.class.path")));
        arguments.add(Main.class.getName());
        arguments.addAll(write);
        List<Path> before = hidden();
        Process process = JavaRun.start(temporary, arguments);
        while (process.isAlive() && before.containsAll(hidden())) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        TimeUnit.MILLISECONDS.sleep(millis);
        boolean ended = !process.isAlive();
        process.destroyForcibly().waitFor();
        if (ended) {
            assertEquals(0, process.exitValue(), Files.readString(temporary.resolve("err")));
        }
        assertTrue(hidden().stream().noneMatch(before::contains), "what was left stays");
    }

    /** Takes away what is complete; the former is told by what its one file holds. */
    private void keep() throws IOException {
        boolean isFormer = Files.isRegularFile(former) && Files.size(former) == FORMER.length();
        if (Files.exists(target) && !isFormer) {
            kept.add(Files.move(target, temporary.resolve("kept " + kept.size())));
        }
    }

    private void putFormer() throws IOException {
        boolean isAside = hidden().stream().anyMatch(path -> path.toString().endsWith(".old"));
        if (Files.notExists(target) && !isAside) {
            Files.createDirectories(former.getParent());
            Files.writeString(former, FORMER);
        }
    }

    private List<Path> hidden() throws IOException {
        try (Stream<Path> files = Files.list(place)) {
            return files.filter(path -> !path.equals(target)).toList();
        }
    }

    private static void assertSame(Path wanted, Path path) throws IOException {
        assertEquals(files(wanted), files(path));
        for (String file : files(wanted)) {
            assertEquals(-1, Files.mismatch(wanted.resolve(file), path.resolve(file)), file);
        }
    }

    /** The files of a folder, or a file itself, by their names in it. */
    private static List<String> files(Path top) throws IOException {
        try (Stream<Path> all = Files.walk(top)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> top.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }
}

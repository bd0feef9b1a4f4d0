package io.cyclane.serve.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.serve.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest {
    private static final String CORPUS =
            """
            {"_id": "north", "title": "90", "text": "up and on"}
            {"_id": "east", "title": "0", "text": "sunrise\\nover there"}
            {"_id": "north-east", "title": "", "text": "45 between"}
            """;

    @TempDir Path folder;

    @Test
    void similarityPutsTheClosestFirst() {
        CommandRun run = CommandRun.of("similarity", "0", "180", "60", "0");
        assertEquals("1.0000  0\n0.5000  60\n-1.0000  180\n", run.out());
        CommandRun json = CommandRun.of("similarity", "--json", "0", "180", "0");
        assertEquals(
                """
                {"text":"0","cosine":1.0}
                {"text":"180","cosine":-1.0}
                """,
                json.out());
    }

    @Test
    void searchRanksTheCorpusForEachQuery() throws IOException {
        String corpus = corpus(CORPUS);
        assertEquals(
                """
                30
                  1  0.9659  north-east  45 between
                  2  0.8660  east        0: sunrise over there
                100
                  1  0.9848  north       90: up and on
                  2  0.5736  north-east  45 between
                """,
                CommandRun.of("search", "--corpus", corpus, "--top", "2", "30", "100").out());
        assertEquals(
                "{\"query\":\"0\",\"hits\":[{\"id\":\"east\",\"score\":1.0,\"title\":\"0\","
                        + "\"text\":\"sunrise\\nover there\"}]}\n",
                CommandRun.of("search", "--corpus", corpus, "--json", "--top", "1", "0").out());
        assertEquals(
                3, CommandRun.of("search", "--corpus", corpus, "one query").out().lines().count());
    }

    @Test
    void searchCutsLongTextsAtAWord() throws IOException {
        String corpus =
                corpus("{\"_id\": \"1\", \"text\": \"" + "word ".repeat(100).strip() + "\"}\n");
        String line = CommandRun.of("search", "--corpus", corpus, "q").out();
        assertTrue(line.endsWith(" word word ...\n") && line.length() < 100, line);
    }

    @Test
    void aCorpusLineThatIsNotJsonIsNamed() throws IOException {
        String corpus = corpus(CORPUS + "oops\n");
        CommandRun run = CommandRun.of("search", "--corpus", corpus, "q");
        assertEquals(1, run.exitCode());
        assertEquals("", run.out());
        assertTrue(
                run.err().startsWith("cyclane search: " + corpus + ", line 4: not a JSON object"),
                run::err);
        assertEquals(1, run.err().lines().count());
        assertTrue(run.model().closed());
    }

    @Test
    void evalBeirPrintsAMeasureALine() throws IOException {
        corpus(CORPUS);
        Files.writeString(folder.resolve("queries.jsonl"), "{\"_id\": \"q\", \"text\": \"30\"}\n");
        Files.createDirectory(folder.resolve("qrels"));
        Files.writeString(folder.resolve("qrels/dev.tsv"), "q\teast\t1\nq\tnorth\t0\n");
        String[] command = {"eval", "beir", "--data", folder.toString(), "--split", "dev"};
        // east comes second: 1 / log2(3) is 0.63093.
        CommandRun run = CommandRun.of(command);
        assertEquals(
                "ndcg@10 0.63093\nrecall@100 1.00000\nmap@100 0.50000\nmrr@10 0.50000\n",
                run.out());
        assertEquals(0, run.exitCode());
        CommandRun missing = CommandRun.of("eval", "beir", "--data", folder.toString());
        assertEquals(1, missing.exitCode());
        assertTrue(missing.err().contains("test.tsv"), missing::err);
    }

    @Test
    void infoAndPlanPrintWhatTheModelSays() {
        assertEquals(
                "{\"architecture\":\"compass\",\"parameters\":1234567,\"layers\":6,\"rounds\":1,"
                        + "\"dtype\":\"F32\",\"dimension\":2,\"max_tokens\":3,"
                        + "\"pooling\":\"MEAN\",\"backend\":\"cpu\",\"weight_bytes\":40,"
                        + "\"session_bytes\":60,\"sessions\":2,\"total_bytes\":160}\n",
                CommandRun.of("info", "--json").out());
        assertTrue(CommandRun.of("info").out().contains("parameters    1,234,567\n"));
        String[] plan = {"plan", "--tokens", "100", "--sequences", "10"};
        assertEquals(
                """
                a table
                group rounds          arena    of it carry        weights    if unrolled    fresh buffers
                1          3             40             10              8             24              120
                all                     400                            20             36              500
                """,
                CommandRun.of(plan).out());
        assertEquals(
                "{\"arena_bytes\":400,\"lower_bound_bytes\":300,\"resident_weight_bytes\":20,"
                        + "\"rounds\":1,\"fresh_bytes\":500,\"unrolled_weight_bytes\":36,"
                        + "\"groups\":[{\"rounds\":3,\"arena_bytes\":40,\"lower_bound_bytes\":30,"
                        + "\"carry_bytes\":10,\"weight_bytes\":8,\"unrolled_weight_bytes\":24,"
                        + "\"fresh_bytes\":120}]}\n",
                CommandRun.of("plan", "--tokens", "100", "--sequences", "10", "--json").out());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense",
                "eval",
                "embed",
                "embed - text",
                "embed --nonsense text",
                "embed --max-tokens 0 text",
                "embed --max-tokens many text",
                "similarity one",
                "search",
                "search --top 0 query",
                "search query-without-a-corpus",
                "eval beir",
                "plan --tokens 8",
                "plan --tokens 8 --sequences 9",
                "plan --tokens 0 --sequences 0",
            })
    void argumentsWithoutSenseAreOneLineAndExitCode2(String line) {
        CommandRun run = CommandRun.of(line.isEmpty() ? new String[0] : line.split(" "));
        assertEquals(2, run.exitCode(), run::err);
        assertEquals(1, run.err().lines().count(), run::err);
        assertTrue(run.err().matches("cyclane.*: .* \\(see cyclane.* --help\\)\\R"), run::err);
        assertEquals("", run.out());
    }

    @Test
    void aFailureIsOneLineUnlessItsStackIsAskedFor() {
        String message = "cyclane embed: there is no model 'nothing'";
        CommandRun run = CommandRun.of("embed", "--model", "nothing", "text");
        assertEquals(message, run.err().strip());
        assertEquals(1, run.exitCode());
        for (List<String> arguments :
                List.of(
                        List.of("--debug", "embed", "--model", "nothing", "text"),
                        List.of("embed", "--model", "nothing", "text", "--debug"))) {
            CommandRun debug = CommandRun.of(arguments.toArray(String[]::new));
            assertEquals(message, debug.err().lines().findFirst().orElseThrow());
            assertTrue(debug.err().contains("\tat io.cyclane.serve"), debug::err);
        }
    }

    @Test
    void memoryThatRunsOutIsOneLineWithTheWayOut() {
        CommandRun run = CommandRun.of("embed", "--model", "huge", "text");
        assertEquals(1, run.exitCode());
        assertTrue(
                run.err()
                        .matches(
                                "cyclane embed: out of memory \\(Java heap space\\): the heap may have"
                                        + " [\\d,]+ MB, JAVA_TOOL_OPTIONS=-Xmx4g lets it have more\\R"),
                run::err);
        CommandRun debug = CommandRun.of("embed", "--model", "huge", "text", "--debug");
        assertTrue(debug.err().contains("\tat io.cyclane.serve"), debug::err);
    }

    @Test
    void everyCommandHasHelp() {
        for (String command :
                List.of("embed", "similarity", "search", "eval beir", "info", "plan", "eval")) {
            CommandRun run = CommandRun.of((command + " --help").split(" "));
            assertEquals(0, run.exitCode(), command);
            assertTrue(run.out().startsWith("Usage: cyclane " + command), run::out);
            assertFalse(run.out().contains("$"), run::out);
        }
    }

    private String corpus(String lines) throws IOException {
        return Files.writeString(folder.resolve("corpus.jsonl"), lines).toString();
    }
}

package io.cyclane.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.train.data.Corpus;
import io.cyclane.train.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BeirTest {
    @TempDir Path folder;

    @Test
    void judgementsKeepTheFilesOrderWithAndWithoutAHeader() throws IOException {
        String lines = "q2\td1\t1\nq1\td1\t0\r\nq2\td2\t2\n";
        qrels("plain", lines);
        qrels("headed", "query-id\tcorpus-id\tscore\n" + lines);
        Map<String, Map<String, Integer>> expected =
                Map.of("q2", Map.of("d1", 1, "d2", 2), "q1", Map.of("d1", 0));
        for (String split : List.of("plain", "headed")) {
            Map<String, Map<String, Integer>> judgements = new Beir(folder).judgements(split);
            assertEquals(expected, judgements);
            assertEquals(List.of("q2", "q1"), List.copyOf(judgements.keySet()));
        }
    }

    @Test
    void aBadJudgementIsNamedByFileAndNumber() throws IOException {
        assertFault("q\td\t1\nq\td2\n", "line 2: 3 columns parted by tabs were wanted");
        assertFault("q\td\t1\nq\td2\tgood\n", "line 2: the grade \"good\" is not a whole number");
        assertFault("q\td\t1\nq\td\t1\n", "line 2: query \"q\" was judged before on \"d\"");
        assertFault("query-id\tcorpus-id\tscore\n", "holds no judgement");
    }

    @Test
    void queriesComeInTheOrderAskedFor() throws IOException {
        Files.writeString(
                folder.resolve("queries.jsonl"),
                """
                {"_id": "1", "text": "one"}
                {"_id": "2", "text": "two"}
                {"_id": "3", "text": "three"}
                """);
        Beir beir = new Beir(folder);
        Map<String, String> queries = beir.queries(Set.of("3"));
        assertEquals(Map.of("3", "three"), queries);
        DataException e = assertThrows(DataException.class, () -> beir.queries(Set.of("4")));
        assertTrue(e.getMessage().contains("lacks the query \"4\""), e::getMessage);
    }

    @Test
    void aMissingFileIsNamed() {
        DataException e = assertThrows(DataException.class, () -> new Beir(folder).corpus());
        assertTrue(
                e.getMessage().startsWith("there is no " + folder.resolve("corpus.jsonl")),
                e::getMessage);
    }

    @ParameterizedTest
    @CsvSource({"scifact, 5183, 300, 339", "nfcorpus, 3633, 323, 12334"})
    void readsPublicDataSets(String name, int documents, int queries, int judgements) {
        Path data = data().resolve("beir").resolve(name);
        if (!Files.isDirectory(data)) {
            System.out.println("skipped: there is no folder " + data);
        }
        assumeTrue(Files.isDirectory(data));
        Beir beir = new Beir(data);
        Map<String, Map<String, Integer>> judged = beir.judgements("test");
        assertEquals(queries, judged.size());
        assertEquals(judgements, judged.values().stream().mapToInt(Map::size).sum());
        assertEquals(queries, beir.queries(judged.keySet()).size());
        try (Corpus corpus = beir.corpus()) {
            assertEquals(documents, corpus.next(Integer.MAX_VALUE).size());
        }
    }

    /** The data that lies beside the repository: up to the folder of .mvn, then over. */
    static Path data() {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(root.resolve(".mvn"))) {
            root = root.getParent();
        }
        return root.resolveSibling("shared").resolve("data");
    }

    private void assertFault(String lines, String message) throws IOException {
        Path file = qrels("bad", lines);
        DataException e =
                assertThrows(DataException.class, () -> new Beir(folder).judgements("bad"));
        assertTrue(e.getMessage().startsWith(file.toString()), e::getMessage);
        assertTrue(e.getMessage().contains(message), e::getMessage);
    }

    private Path qrels(String split, String lines) throws IOException {
        Files.createDirectories(folder.resolve("qrels"));
        return Files.writeString(folder.resolve("qrels/" + split + ".tsv"), lines);
    }
}

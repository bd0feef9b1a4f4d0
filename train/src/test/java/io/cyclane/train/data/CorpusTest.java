package io.cyclane.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CorpusTest {
    private static final String GOOD = "{\"_id\": \"a\", \"text\": \"first\"}";

    @TempDir Path folder;

    @Test
    void documentsComeInTheirOrderInBatches() throws IOException {
        String lines =
                """
                {"_id": "a", "title": "T", "text": "one", "metadata": {"x": [1, {"y": null}]}}

                {"text": "zw\\u00f6lf \\"q\\"", "_id": "b"}
                {"_id": "c", "title": "", "text": ""}
                """;
        List<Document> expected =
                List.of(
                        new Document("a", "T", "one"),
                        new Document("b", "", "zwölf \"q\""),
                        new Document("c", "", ""));
        Path plain = Files.writeString(folder.resolve("corpus.jsonl"), lines);
        Path gzip = Files.write(folder.resolve("corpus.jsonl.gz"), LinesTest.gzip(lines));
        assertEquals(expected, read(plain, 2));
        assertEquals(expected, read(gzip, 100));
    }

    @Test
    void aPassageIsTitleSpaceText() {
        assertEquals("T one", new Document("a", "T", "one").passage());
        assertEquals("one", new Document("a", "", "one").passage());
        assertEquals("T", new Document("a", "T", "").passage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "not json                              | not a JSON object \\(column \\d+\\): .*",
                "[1]                                   | not a JSON object",
                "{\"_id\": \"b\", \"text\": \"cut     | not a JSON object \\(column \\d+\\): .*",
                "{\"_id\": \"b\", \"text\": \"x\"} {} | more than one JSON object",
                "{\"_id\": \"b\", \"text\": \"x\"} ?  | not a JSON object \\(column \\d+\\): .*",
                "{\"_id\": \"b\", \"_id\": \"c\"}     | not a JSON object .*[Dd]uplicate.*",
                "{\"_id\": \"b\"}                     | no string field \"text\"",
                "{\"_id\": 7, \"text\": \"x\"}        | no string field \"_id\"",
                "{\"_id\": \"a\", \"text\": \"x\"}    | the id \"a\" was there before",
            })
    void aBadLineIsNamedByFileAndNumber(String line, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("bad.jsonl"), GOOD + "\n\n" + line + "\n");
        DataException e = assertThrows(DataException.class, () -> read(file, 10));
        String prefix = file + ", line 3: ";
        assertTrue(e.getMessage().startsWith(prefix), e::getMessage);
        assertTrue(e.getMessage().substring(prefix.length()).matches(message), e::getMessage);
    }

    private static List<Document> read(Path file, int batch) {
        List<Document> all = new ArrayList<>();
        try (Corpus corpus = Corpus.open(file)) {
            List<Document> next = corpus.next(batch);
            while (!next.isEmpty()) {
                assertTrue(next.size() <= batch);
                all.addAll(next);
                next = corpus.next(batch);
            }
            assertEquals(all.size(), corpus.count());
            assertEquals(1.0, corpus.share());
        }
        return all;
    }
}

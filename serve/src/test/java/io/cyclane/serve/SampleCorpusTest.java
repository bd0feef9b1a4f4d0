package io.cyclane.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.train.data.Corpus;
import io.cyclane.train.data.Document;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SampleCorpusTest {
    @Test
    void holds300ParagraphsOf60To200Words() {
        Path file = LauncherTest.root().resolve("samples/wikipedia-300.jsonl.gz");
        try (Corpus corpus = Corpus.open(file)) {
            List<Document> documents = corpus.next(1000);
            assertEquals(300, documents.size());
            assertEquals(300, documents.stream().map(Document::title).distinct().count());
            for (Document document : documents) {
                int words = document.text().split(" +").length;
                assertTrue(words >= 60 && words <= 200, document::toString);
                assertFalse(document.title().isBlank(), document::toString);
            }
        }
    }
}

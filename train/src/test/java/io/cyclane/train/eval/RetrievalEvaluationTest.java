package io.cyclane.train.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetrievalEvaluationTest {
    /** A text is its own vector: numbers parted by spaces; a title joins in as the first. */
    private static final TextEmbedder NUMBERS =
            texts -> {
                float[][] vectors = new float[texts.size()][];
                for (int i = 0; i < vectors.length; i++) {
                    String[] numbers = texts.get(i).split(" ");
                    vectors[i] = new float[numbers.length];
                    for (int j = 0; j < numbers.length; j++) {
                        vectors[i][j] = Float.parseFloat(numbers[j]);
                    }
                }
                return vectors;
            };

    @TempDir Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(
                folder.resolve("corpus.jsonl"),
                """
                {"_id": "a", "title": "1", "text": "0"}
                {"_id": "b", "title": "", "text": "0.5 1"}
                {"_id": "c", "title": "1", "text": "0"}
                {"_id": "q2", "title": "0", "text": "3"}
                """);
        Files.writeString(
                folder.resolve("queries.jsonl"),
                """
                {"_id": "q1", "text": "1 0"}
                {"_id": "q2", "text": "0 1"}
                {"_id": "unjudged", "text": "0 0"}
                """);
        Files.createDirectory(folder.resolve("qrels"));
        Files.writeString(folder.resolve("qrels/test.tsv"), "q1\ta\t1\nq2\tb\t1\nq2\tq2\t1\n");
    }

    /**
     * q1 ranks c, a (a tie, by falling id), b, q2: a stands second. q2 ranks itself first, which is
     * left out, then b first; its own document stays judged, so it counts as not found.
     */
    @Test
    void scoresAreThoseWorkedByHand() {
        List<String> heard = new ArrayList<>();
        RetrievalEvaluation scores =
                RetrievalEvaluation.run(
                        new Beir(folder),
                        "test",
                        NUMBERS,
                        (task, done, share) -> heard.add(task + " " + done + " " + share));
        double secondOfOne = 1 / (Math.log(3) / Math.log(2));
        double firstOfTwo = 1 / (1 + secondOfOne);
        assertEquals(2, scores.queries());
        assertEquals(4, scores.documents());
        assertEquals((secondOfOne + firstOfTwo) / 2, scores.ndcgAt10(), 1e-15);
        assertEquals((1 + 0.5) / 2, scores.recallAt100(), 1e-15);
        assertEquals((0.5 + 0.5) / 2, scores.mapAt100(), 1e-15);
        assertEquals((0.5 + 1) / 2, scores.mrrAt10(), 1e-15);
        assertEquals(List.of("queries 2 1.0", "documents 4 1.0"), heard);
    }

    @Test
    void anEmbedderThatLosesATextIsFoundOut() {
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                RetrievalEvaluation.run(
                                        new Beir(folder),
                                        "test",
                                        texts -> new float[1][2],
                                        Progress.NONE));
        assertTrue(e.getMessage().contains("1 vectors for 2 texts"), e::getMessage);
    }
}

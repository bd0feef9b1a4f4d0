package io.cyclane.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.model.text.Vectors.Vector;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every vector of another implementation: ids, types, spellings and places are equal. */
class TokenizerVectorsTest {
    @ParameterizedTest
    @CsvSource({
        "bert-base-uncased, tokenizer.json.gz",
        "bert-base-uncased, vocab.txt",
        "bert-base-cased, tokenizer.json.gz",
        "bert-base-cased, vocab.txt",
        "modernbert, tokenizer.json.gz",
        "gpt2, vocab.json.gz",
        "gpt2, merges.txt.gz",
    })
    void agreesOnEveryVector(String name, String file) {
        Tokenizer tokenizer = Tokenizer.load(Vectors.data("tokenizers/" + name + "/" + file));
        List<Vector> vectors = Vectors.of(name);
        assertTrue(vectors.size() >= 73, "vectors read: " + vectors.size());
        TokenBatch batch = new TokenBatch();
        for (Vector vector : vectors) {
            check(vector, tokenizer, batch);
        }
        assertEquals(vectors.size(), batch.sequences());
    }

    private static void check(Vector vector, Tokenizer tokenizer, TokenBatch batch) {
        String text = vector.text();
        Encoding encoding =
                vector.isPair()
                        ? tokenizer.encode(text, vector.pair(), Tokenizer.NO_LIMIT)
                        : tokenizer.encode(text, Tokenizer.NO_LIMIT);
        assertArrayEquals(vector.ids(), encoding.ids(), text);
        assertArrayEquals(vector.types(), encoding.typeIds(), text);
        assertEquals(vector.tokens(), encoding.pieces(), text);
        Vectors.assertPlaces(vector.offsets(), encoding, text, vector.pair());
        int tokens =
                vector.isPair()
                        ? tokenizer.encode(text, vector.pair(), Tokenizer.NO_LIMIT, batch)
                        : tokenizer.encode(text, Tokenizer.NO_LIMIT, batch);
        int from = batch.tokens() - tokens;
        assertArrayEquals(
                vector.ids(), Arrays.copyOfRange(batch.ids(), from, batch.tokens()), text);
        assertArrayEquals(
                vector.types(), Arrays.copyOfRange(batch.typeIds(), from, batch.tokens()), text);
    }
}

package io.cyclane.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A text's vector depends on nothing but the text: the same bits whoever its neighbours are. */
class EncoderBitsTest {
    @TempDir static Path temporary;

    private static final List<String> TEXTS = texts();
    private static Path model;
    private static float[][] alone;

    /** Around every tile and lane boundary, and up to the model's last position. */
    private static List<String> texts() {
        int[] hostile = {2, 3, 5, 6, 7, 8, 11, 12, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 99, 100};
        int[] tokens = new int[64];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = hostile[i % hostile.length];
        }
        return SmallBert.texts(tokens);
    }

    @BeforeAll
    static void embedEachAlone() {
        model = SmallBert.folder(temporary, 1);
        try (Property _ = Property.threads(1);
                Encoder encoder = Encoder.load(model)) {
            alone = TEXTS.stream().map(encoder::embed).toArray(float[][]::new);
        }
        for (float[] vector : alone) {
            assertEquals(1, dot(vector, vector), 1e-5);
        }
        assertFalse(Arrays.equals(alone[5], alone[25]), "texts 5 and 25 are different");
    }

    @ParameterizedTest(name = "{0} threads, {1} tokens in {2} sequences")
    @CsvSource({"1,6400,64", "2,6400,64", "3,6400,64", "2,100,1", "3,257,64"})
    void areTheSameInAnyBatchWithAnyThreads(int threads, int tokens, int sequences) {
        try (Property _ = Property.threads(threads);
                Encoder encoder =
                        Encoder.builder(model.toString())
                                .capacity(new Capacity(tokens, sequences))
                                .load()) {
            assertSame(encoder.embed(TEXTS));
        }
    }

    @Test
    void areTheSameAfterOtherRuns() {
        try (Property _ = Property.threads(2);
                Encoder encoder = Encoder.load(model)) {
            for (int i : new int[] {19, 0, 40, 63, 1, 18}) {
                assertArrayEquals(alone[i], encoder.embed(TEXTS.get(i)), "text " + i);
                encoder.embed(TEXTS.subList(i / 2, i + 1));
            }
        }
    }

    @Test
    void areTheSameFromTwoSessionsAtOnce() throws Exception {
        try (Property _ = Property.threads(2);
                Encoder encoder = Encoder.builder(model.toString()).sessions(2).load();
                ExecutorService callers = Executors.newFixedThreadPool(3)) {
            List<Future<Void>> calls = new ArrayList<>();
            for (int caller = 0; caller < 3; caller++) {
                long seed = caller;
                calls.add(callers.submit(embedShuffled(encoder, seed)));
            }
            for (Future<Void> call : calls) {
                call.get();
            }
        }
    }

    @Test
    void areTheSameForMiniLm() {
        List<String> texts =
                List.of(
                        "Rivers carry stones to the sea.",
                        "x",
                        "Interest rates rose again in the second quarter. ".repeat(3),
                        "");
        float[][] one = new float[texts.size()][];
        try (Property _ = Property.threads(1);
                Encoder encoder = Encoder.load(TestModels.minilm())) {
            for (int i = 0; i < one.length; i++) {
                one[i] = encoder.embed(texts.get(i));
            }
        }
        try (Property _ = Property.threads(2);
                Encoder encoder =
                        Encoder.builder(TestModels.minilm().toString())
                                .capacity(new Capacity(300, 5))
                                .load()) {
            float[][] together = encoder.embed(texts);
            for (int i = 0; i < one.length; i++) {
                assertArrayEquals(one[i], together[i], "text " + i);
            }
        }
    }

    private static Callable<Void> embedShuffled(Encoder encoder, long seed) {
        return () -> {
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < TEXTS.size(); i++) {
                order.add(i);
            }
            Collections.shuffle(order, new Random(seed));
            for (int at = 0; at < order.size(); at += 4) {
                List<Integer> some = order.subList(at, at + 4);
                float[][] vectors = encoder.embed(some.stream().map(TEXTS::get).toList());
                for (int i = 0; i < some.size(); i++) {
                    assertArrayEquals(alone[some.get(i)], vectors[i], "text " + some.get(i));
                }
            }
            return null;
        };
    }

    private static void assertSame(float[][] vectors) {
        assertEquals(alone.length, vectors.length);
        for (int i = 0; i < alone.length; i++) {
            // Compares bits: equal arrays of floats are equal in every bit but those of a NaN.
            assertArrayEquals(alone[i], vectors[i], "text " + i);
        }
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}

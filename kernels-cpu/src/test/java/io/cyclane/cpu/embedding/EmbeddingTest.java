package io.cyclane.cpu.embedding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.Values;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Gathered rows, positions and rotation. */
public class EmbeddingTest {
    private static final int VOCABULARY = 101;

    @Test
    void gathersRows() {
        for (int width : Values.hostileWidths()) {
            float[] table = Values.random(VOCABULARY * width, 1f, width);
            int[] ids = new Random(width).ints(1000, 0, VOCABULARY).toArray();
            ids[0] = 0;
            ids[999] = VOCABULARY - 1;
            for (Workers workers : Values.pools()) {
                Place y = Values.empty(ids.length * width);
                embedding(table, ids, y, width, workers).run();
                float[] got = Values.read(y, ids.length * width);
                for (int i = 0; i < got.length; i++) {
                    assertEquals(table[ids[i / width] * width + i % width], got[i]);
                }
            }
        }
    }

    @Test
    void anIdOutsideTheVocabularyIsNamed() {
        float[] table = Values.random(VOCABULARY * 4, 1f, 1);
        for (int id : new int[] {-1, VOCABULARY, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            Place y = Values.of(new float[12]);
            EmbeddingKernel kernel =
                    embedding(table, new int[] {3, 5, id}, y, 4, Workers.shared(2));
            String message = assertThrows(InputException.class, kernel::run).getMessage();
            assertTrue(message.contains("id " + id + ", at place 2 of"), message);
            assertTrue(message.contains("0 to 100"), message);
            assertArrayEquals(new float[12], Values.read(y, 12));
        }
    }

    @Test
    void positionsStartAnewInEverySequence() {
        Place offsets = Values.ofInts(0, 3, 3, 4, 8);
        Place positions = Values.ofInts(new int[9]);
        new PositionsKernel(offsets, positions, Count.fixed(4), 0).run();
        int[] wanted = {0, 1, 2, 0, 0, 1, 2, 3, 0};
        for (int i = 0; i < wanted.length; i++) {
            int got = positions.segment().get(ValueLayout.JAVA_INT, 4L * i);
            assertEquals(wanted[i], got, "token " + i);
        }
        new PositionsKernel(Values.ofInts(0), positions, Count.fixed(0), 0).run();
    }

    @Test
    void rotatesHalfAgainstHalf() {
        int lanes = Lanes.F32.length();
        for (int width : new int[] {2, 8, 2 * lanes, 2 * lanes + 2, 32, 64, 128}) {
            int heads = 3;
            int tokens = 301;
            int stride = heads * width + 5;
            float[] x = Values.random(tokens * stride, 2f, width);
            float[] table = Values.random(50 * width, 1f, width + 1);
            int[] positions = new Random(width).ints(tokens, 0, 50).toArray();
            for (Workers workers : Values.pools()) {
                Place y = Values.of(x);
                rotary(y, stride, table, positions, heads, width, workers).run();
                checkRotation(x, Values.read(y, x.length), stride, table, positions, width);
            }
        }
    }

    @Test
    void aPositionBeyondTheTableIsNamed() {
        float[] x = new float[3 * 8];
        RotaryKernel kernel =
                rotary(Values.of(x), 8, new float[50 * 8], new int[] {0, 50, 1}, 1, 8, pool());
        String message = assertThrows(InputException.class, kernel::run).getMessage();
        assertTrue(message.contains("position 50, at place 1"), message);
        assertTrue(message.contains("0 to 49"), message);
    }

    private static void checkRotation(
            float[] x, float[] got, int stride, float[] table, int[] positions, int width) {
        int half = width / 2;
        float[] wanted = x.clone();
        for (int token = 0; token < positions.length; token++) {
            for (int head = 0; head < 3; head++) {
                for (int i = 0; i < half; i++) {
                    int low = token * stride + head * width + i;
                    float cos = table[positions[token] * width + i];
                    float sin = table[positions[token] * width + half + i];
                    double a = (double) x[low] * cos - (double) x[low + half] * sin;
                    double b = (double) x[low + half] * cos + (double) x[low] * sin;
                    // One product is rounded, and the sum.
                    double size = Math.abs(x[low]) + Math.abs(x[low + half]);
                    assertEquals(a, got[low], 2 * Values.U * size);
                    assertEquals(b, got[low + half], 2 * Values.U * size);
                    wanted[low] = got[low];
                    wanted[low + half] = got[low + half];
                }
            }
        }
        assertArrayEquals(wanted, got, "what lies between the rows stays");
    }

    private static EmbeddingKernel embedding(
            float[] table, int[] ids, Place y, int width, Workers workers) {
        return new EmbeddingKernel(
                Values.of(table),
                Values.ofInts(ids),
                y,
                Count.fixed(ids.length),
                VOCABULARY,
                width,
                workers);
    }

    private static RotaryKernel rotary(
            Place x,
            int stride,
            float[] table,
            int[] positions,
            int heads,
            int width,
            Workers workers) {
        return new RotaryKernel(
                x,
                stride,
                Values.of(table),
                Values.ofInts(positions),
                x,
                stride,
                Count.fixed(positions.length),
                heads,
                width,
                50,
                workers);
    }

    private static Workers pool() {
        return Workers.shared(1);
    }
}

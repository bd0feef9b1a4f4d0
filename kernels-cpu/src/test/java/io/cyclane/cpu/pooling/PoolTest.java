package io.cyclane.cpu.pooling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cyclane.cpu.Workers;
import io.cyclane.cpu.elementwise.Values;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Pool;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Means and first rows of ragged sequences. */
public class PoolTest {
    private static final int[] OFFSETS = {0, 1, 1, 18, 117, 629};

    @Test
    void meansAgreeWithDoubleSums() {
        for (int width : Values.hostileWidths()) {
            float[] x = Values.random(629 * width, 10f, width);
            for (Workers workers : Values.pools()) {
                float[] got = pool(x, OFFSETS, width, Pool.Kind.MEAN, workers);
                for (int s = 0; s < 5; s++) {
                    for (int i = 0; i < width; i++) {
                        check(x, got[s * width + i], s, i, width);
                    }
                }
            }
        }
    }

    @Test
    void firstRowsAreCopied() {
        for (int width : Values.hostileWidths()) {
            float[] x = Values.random(629 * width, 10f, width);
            float[] got = pool(x, OFFSETS, width, Pool.Kind.CLS, Workers.shared(2));
            for (int s = 0; s < 5; s++) {
                for (int i = 0; i < width; i++) {
                    float wanted = s == 1 ? 0f : x[OFFSETS[s] * width + i];
                    assertEquals(wanted, got[s * width + i]);
                }
            }
        }
    }

    @Test
    void bitsDependOnTheSequenceAlone() {
        int width = 401;
        float[] x = Values.random(629 * width, 10f, 1);
        float[] batch = pool(x, OFFSETS, width, Pool.Kind.MEAN, Workers.shared(3));
        float[] rows = Arrays.copyOfRange(x, 18 * width, 117 * width);
        float[] alone = pool(rows, new int[] {0, 99}, width, Pool.Kind.MEAN, Workers.shared(1));
        assertArrayEquals(Arrays.copyOfRange(batch, 3 * width, 4 * width), alone);
    }

    @Test
    void ownRowsAreCopied() {
        for (int width : Values.hostileWidths()) {
            float[] x = Values.random(5 * width, 10f, width);
            float[] got = pool(x, OFFSETS, width, Pool.Kind.OWN, Workers.shared(2));
            Arrays.fill(x, width, 2 * width, 0f);
            assertArrayEquals(x, got, "width " + width);
        }
    }

    @Test
    void aBatchOfNoneWritesNothing() {
        Place y = Values.of(7f);
        new PoolKernel(
                        Values.empty(1),
                        Values.ofInts(0),
                        y,
                        Count.fixed(0),
                        1,
                        Pool.Kind.MEAN,
                        Workers.shared(1))
                .run();
        assertEquals(7f, Values.read(y, 1)[0]);
    }

    private static void check(float[] x, float got, int sequence, int column, int width) {
        int rows = OFFSETS[sequence + 1] - OFFSETS[sequence];
        double sum = 0;
        double size = 0;
        for (int row = OFFSETS[sequence]; row < OFFSETS[sequence + 1]; row++) {
            sum += x[row * width + column];
            size += Math.abs(x[row * width + column]);
        }
        double wanted = rows == 0 ? 0 : sum / rows;
        double allowed = rows == 0 ? 0 : (rows + 1) * Values.U * size / rows;
        assertEquals(wanted, got, allowed, "sequence " + sequence + ", column " + column);
    }

    private static float[] pool(
            float[] x, int[] offsets, int width, Pool.Kind pooling, Workers workers) {
        int sequences = offsets.length - 1;
        Place y = Values.empty(sequences * width);
        new PoolKernel(
                        Values.of(x),
                        Values.ofInts(offsets),
                        y,
                        Count.fixed(sequences),
                        width,
                        pooling,
                        workers)
                .run();
        return Values.read(y, sequences * width);
    }
}

package io.cyclane.cpu.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.cpu.Workers;
import io.cyclane.cpu.attention.AttentionKernel.Rows;
import io.cyclane.cpu.elementwise.Values;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Attention against plain double loops, and against itself in other company. */
public class AttentionTest {
    private static final double U = Values.U;

    /** A batch: T rows of q, k and v beside each other, [T, 3 * H * K]. */
    private record Batch(float[] qkv, int[] offsets, int heads, int width) {
        int tokens() {
            return offsets[offsets.length - 1];
        }

        int stride() {
            return 3 * heads * width;
        }

        float q(int token, int head, int i) {
            return qkv[token * stride() + head * width + i];
        }

        float k(int token, int head, int i) {
            return qkv[token * stride() + (heads + head) * width + i];
        }

        float v(int token, int head, int i) {
            return qkv[token * stride() + (2 * heads + head) * width + i];
        }
    }

    private record Result(float[] out, float[] logSums) {}

    @Test
    void agreesWithDoubleLoops() {
        int[] offsets = {0, 1, 1, 8, 24, 41, 104, 169, 301};
        for (int width : new int[] {1, 5, 8, 16, 24, 32, 40, 64, 72, 96, 128}) {
            Batch batch = random(offsets, 2, width, 1f, 1f, width);
            for (int window : new int[] {0, 1, 7, 64, 300}) {
                check(batch, window, run(batch, window, Workers.shared(1)));
            }
        }
    }

    @Test
    void largeScoresSaturate() {
        Batch steep = random(new int[] {0, 70, 140}, 2, 32, 40f, 1f, 1);
        check(steep, 0, run(steep, 0, Workers.shared(1)));
        Batch flat = random(new int[] {0, 70, 140}, 2, 32, 0f, 100f, 2);
        check(flat, 0, run(flat, 0, Workers.shared(1)));
        check(flat, 5, run(flat, 5, Workers.shared(1)));
    }

    @Test
    void aSteepRiseAlongTheKeysIsRescaledInEveryBlock() {
        Batch batch = random(new int[] {0, 400}, 1, 32, 1f, 1f, 3);
        for (int token = 0; token < 400; token++) {
            for (int i = 0; i < 32; i++) {
                batch.qkv[token * batch.stride() + i] = 1f;
                batch.qkv[token * batch.stride() + 32 + i] = token * 0.1f;
            }
        }
        check(batch, 0, run(batch, 0, Workers.shared(1)));
        check(batch, 100, run(batch, 100, Workers.shared(1)));
    }

    @Test
    void bitsDependOnTheSequenceAlone() {
        int[] offsets = {0, 1, 18, 18, 147, 276, 580};
        for (int width : new int[] {24, 32, 64}) {
            for (int window : new int[] {0, 3, 64}) {
                Batch batch = random(offsets, 3, width, 2f, 1f, width);
                Result first = run(batch, window, Workers.shared(1));
                assertSame(first, run(batch, window, Workers.shared(2)));
                assertSame(first, run(batch, window, Workers.shared(3)));
                for (int s = 0; s < offsets.length - 1; s++) {
                    assertSame(
                            part(first, batch, s), run(alone(batch, s), window, Workers.shared(2)));
                }
            }
        }
    }

    @Test
    void aWindowAsWideAsTheSequenceIsNone() {
        Batch batch = random(new int[] {0, 200}, 2, 32, 2f, 1f, 9);
        assertSame(run(batch, 0, Workers.shared(1)), run(batch, 199, Workers.shared(1)));
        assertSame(
                run(batch, 0, Workers.shared(1)), run(batch, Integer.MAX_VALUE, Workers.shared(1)));
    }

    @Test
    void theResultMayTakeTheQueriesPlace() {
        Batch batch = random(new int[] {0, 200, 230}, 2, 40, 2f, 1f, 9);
        Place qkv = Values.of(batch.qkv);
        int stride = batch.stride();
        Workers workers = Workers.shared(2);
        new AttentionKernel(
                        new Rows(qkv, stride),
                        new Rows(new Place(qkv.segment(), 4 * 80), stride),
                        new Rows(new Place(qkv.segment(), 8 * 80), stride),
                        new Rows(qkv, stride),
                        null,
                        Values.ofInts(batch.offsets),
                        Count.fixed(2),
                        2,
                        40,
                        0.2f,
                        0,
                        scratch(40, workers),
                        workers)
                .run();
        float[] got = Values.read(qkv, batch.qkv.length);
        float[] apart = run(batch, 0, 0.2f, workers).out;
        for (int token = 0; token < batch.tokens(); token++) {
            int at = token * stride;
            assertArrayEquals(
                    Arrays.copyOfRange(apart, token * 80, token * 80 + 80),
                    Arrays.copyOfRange(got, at, at + 80));
            assertArrayEquals(
                    Arrays.copyOfRange(batch.qkv, at + 80, at + stride),
                    Arrays.copyOfRange(got, at + 80, at + stride));
        }
    }

    @Test
    void aBatchOfNoneWritesNothing() {
        Batch none = new Batch(new float[0], new int[] {0}, 2, 32);
        assertEquals(0, run(none, 0, Workers.shared(2)).out.length);
        Batch empty = new Batch(new float[0], new int[] {0, 0, 0}, 2, 32);
        assertEquals(0, run(empty, 0, Workers.shared(2)).out.length);
    }

    @Test
    void aNotANumberStaysInItsSequenceAndHead() {
        Batch batch = random(new int[] {0, 100, 200}, 2, 32, 1f, 1f, 4);
        batch.qkv[130 * batch.stride() + 2 * 32 + 5] = Float.NaN;
        float[] out = run(batch, 0, Workers.shared(1)).out;
        for (int i = 0; i < out.length; i++) {
            boolean touched = i / 64 >= 100 && i % 64 < 32;
            assertEquals(touched, Float.isNaN(out[i]), "element " + i);
        }
    }

    private static Batch random(
            int[] offsets, int heads, int width, float steepness, float size, long seed) {
        int tokens = offsets[offsets.length - 1];
        float[] qkv = Values.random(tokens * 3 * heads * width, 1f, seed);
        for (int i = 0; i < qkv.length; i++) {
            int part = i % (3 * heads * width) / (heads * width);
            qkv[i] *= part == 0 ? steepness : part == 2 ? size : 1f;
        }
        return new Batch(qkv, offsets, heads, width);
    }

    private static Batch alone(Batch batch, int sequence) {
        int first = batch.offsets[sequence];
        int end = batch.offsets[sequence + 1];
        float[] rows = Arrays.copyOfRange(batch.qkv, first * batch.stride(), end * batch.stride());
        return new Batch(rows, new int[] {0, end - first}, batch.heads, batch.width);
    }

    private static Result part(Result result, Batch batch, int sequence) {
        int first = batch.offsets[sequence];
        int end = batch.offsets[sequence + 1];
        int row = batch.heads * batch.width;
        return new Result(
                Arrays.copyOfRange(result.out, first * row, end * row),
                Arrays.copyOfRange(result.logSums, first * batch.heads, end * batch.heads));
    }

    private static void assertSame(Result wanted, Result got) {
        assertArrayEquals(wanted.out, got.out);
        assertArrayEquals(wanted.logSums, got.logSums);
    }

    private static Result run(Batch batch, int window, Workers workers) {
        return run(batch, window, scale(batch), workers);
    }

    private static float scale(Batch batch) {
        return (float) (1 / Math.sqrt(batch.width));
    }

    private static Result run(Batch batch, int window, float scale, Workers workers) {
        int row = batch.heads * batch.width;
        Place qkv = Values.of(batch.qkv);
        Place out = Values.empty(batch.tokens() * row);
        Place logSums = Values.empty(batch.tokens() * batch.heads);
        new AttentionKernel(
                        new Rows(qkv, batch.stride()),
                        new Rows(new Place(qkv.segment(), 4L * row), batch.stride()),
                        new Rows(new Place(qkv.segment(), 8L * row), batch.stride()),
                        new Rows(out, row),
                        logSums,
                        Values.ofInts(batch.offsets),
                        Count.fixed(batch.offsets.length - 1),
                        batch.heads,
                        batch.width,
                        scale,
                        window,
                        scratch(batch.width, workers),
                        workers)
                .run();
        return new Result(
                Values.read(out, batch.tokens() * row),
                Values.read(logSums, batch.tokens() * batch.heads));
    }

    private static Place scratch(int width, Workers workers) {
        return Values.empty(AttentionKernel.scratchBytes(width) * workers.threads() / 4);
    }

    private static void check(Batch batch, int window, Result result) {
        int reach = window == 0 ? Integer.MAX_VALUE : window;
        for (int s = 0; s < batch.offsets.length - 1; s++) {
            int start = batch.offsets[s];
            int end = batch.offsets[s + 1];
            for (int head = 0; head < batch.heads; head++) {
                for (int p = start; p < end; p++) {
                    int from = Math.max(start, p - Math.min(reach, end));
                    int to = Math.min(end, p + Math.min(reach, end) + 1);
                    checkQuery(batch, head, p, from, to, result);
                }
            }
        }
    }

    /** One query against keys from..to. */
    private static void checkQuery(Batch batch, int head, int p, int from, int to, Result result) {
        double[] scores = new double[to - from];
        double size = 0;
        double highest = Double.NEGATIVE_INFINITY;
        double lowest = Double.POSITIVE_INFINITY;
        for (int j = from; j < to; j++) {
            double sum = 0;
            double sizes = 0;
            for (int i = 0; i < batch.width; i++) {
                double product = (double) batch.q(p, head, i) * batch.k(j, head, i);
                sum += product;
                sizes += Math.abs(product);
            }
            scores[j - from] = sum * scale(batch);
            size = Math.max(size, sizes * scale(batch));
            highest = Math.max(highest, scores[j - from]);
            lowest = Math.min(lowest, scores[j - from]);
        }
        double weights = 0;
        for (int j = 0; j < scores.length; j++) {
            scores[j] = Math.exp(scores[j] - highest);
            weights += scores[j];
        }
        // A score is off by the roundings of K products, of the scaled query and of the difference
        // from the maximum; a weight by that, by its power (2 U) and by a rescaling per block (two
        // roundings and a power, and the roundings of the exponents, which add up to the range).
        double range = Math.min(200, highest - lowest);
        double blocks = scores.length / 64.0 + 2;
        double scoreOff = (batch.width + 4) * U * size + 2 * range * U;
        double weightOff = scoreOff + (2 + 5 * blocks + scores.length) * U;
        for (int i = 0; i < batch.width; i++) {
            double sum = 0;
            double sizes = 0;
            for (int j = from; j < to; j++) {
                sum += scores[j - from] * batch.v(j, head, i);
                sizes += scores[j - from] * Math.abs(batch.v(j, head, i));
            }
            double wanted = sum / weights;
            double got = result.out[(p * batch.heads + head) * batch.width + i];
            double allowed = (2 * weightOff + 3 * U) * sizes / weights + 0x1p-120;
            String where =
                    "width "
                            + batch.width
                            + ", head "
                            + head
                            + ", query "
                            + p
                            + ", keys "
                            + from
                            + ".."
                            + to;
            assertTrue(
                    Math.abs(wanted - got) <= allowed,
                    () -> where + ": " + wanted + ", got " + got + ", allowed " + allowed);
        }
        double logSum = highest + Math.log(weights);
        double allowed = 2 * weightOff + 2 * U * Math.abs(logSum);
        assertEquals(logSum, result.logSums[p * batch.heads + head], allowed, "log-sum-exp");
    }
}

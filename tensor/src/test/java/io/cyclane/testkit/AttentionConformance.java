package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.tensor.DType;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.program.Recorder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Attention}. */
public abstract class AttentionConformance extends OpConformance {
    /** An attention with the numbers it is run on. */
    private record Case(
            Attention op, Ragged ragged, int width, float[] query, float[] key, float[] value) {
        static Case random(Ragged ragged, int heads, int headWidth, int window, Generators random) {
            int width = heads * headWidth;
            int n = ragged.tokens() * width;
            return new Case(
                    new Attention(heads, (float) (1 / Math.sqrt(headWidth)), window),
                    ragged,
                    width,
                    random.normal(n),
                    random.normal(n),
                    random.normal(n));
        }

        Case with(float[] newQuery, float[] newKey, float[] newValue) {
            return new Case(op, ragged, width, newQuery, newKey, newValue);
        }

        OneOp program() {
            return new OneOp(op)
                    .with("query", ragged.rows(width), query)
                    .with("key", ragged.rows(width), key)
                    .with("value", ragged.rows(width), value)
                    .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                    .counts(ragged);
        }

        /** One sequence, the only one of a batch. */
        Case alone(int sequence) {
            int first = ragged.start(sequence);
            int rows = ragged.length(sequence);
            return new Case(
                    op,
                    Ragged.of(rows),
                    width,
                    cut(query, width, first, rows),
                    cut(key, width, first, rows),
                    cut(value, width, first, rows));
        }
    }

    private double[] agrees(Case c, String what) {
        AttentionBound bound =
                AttentionBound.of(
                        c.op,
                        c.ragged,
                        c.width,
                        c.query,
                        c.key,
                        c.value,
                        stored() == DType.BF16 ? Tolerance.unit(DType.BF16) : 0);
        return check(
                c.program(),
                c.ragged + ", " + what,
                (i, y) -> bound.ofResult()[i],
                (i, y) -> bound.ofLogSum()[i]);
    }

    private double[] agrees(Ragged ragged, int heads, int headWidth, int window, long seed) {
        Generators random = Generators.seeded(seed);
        return agrees(Case.random(ragged, heads, headWidth, window, random), random.toString());
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 2", "4, 3", "64, 4"})
    void takesRaggedBatches(int window, long seed) {
        agrees(Generators.ragged(seed), 2, 16, window, seed);
    }

    @ParameterizedTest
    @CsvSource({"0, 32", "0, 64", "64, 64", "1000, 64"})
    @Tag("long")
    void takesRaggedBatchesOfModels(int window, int headWidth) {
        agrees(Generators.ragged(5), 12, headWidth, window, 5);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1", "3, 1", "2, 7", "1, 8", "2, 15", "3, 16", "1, 17", "2, 31", "1, 33", "1, 61",
        "12, 32", "12, 64", "1, 127", "1, 128", "1, 129", "2, 272"
    })
    void takesAnyHead(int heads, int headWidth) {
        agrees(Ragged.of(9, 0, 33, 1), heads, headWidth, 0, headWidth);
        agrees(Ragged.of(9, 0, 33, 1), heads, headWidth, 4, headWidth);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyLength(int tokens) {
        agrees(Ragged.of(tokens, 3), 2, 8, 0, tokens);
        agrees(Ragged.of(2, tokens), 1, 8, tokens % 9, tokens);
    }

    @Test
    void takesBatchesWithoutTokens() {
        agrees(Ragged.of(0, 0), 2, 8, 0, 1);
        agrees(Ragged.of(), 2, 8, 4, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4})
    void takesHostileNumbers(int window) {
        Generators random = Generators.seeded(6);
        Case c = Case.random(Ragged.of(40, 1, 17), 2, 16, window, random);
        int n = c.query.length;
        float[] zeros = new float[n];
        float[] equal = new float[n];
        Arrays.fill(equal, 0.7f);
        agrees(c.with(zeros, c.key, c.value), "zero queries, seed 6");
        agrees(c.with(equal, equal, equal), "equal");
        agrees(c.with(c.query, c.key, zeros), "zero values, seed 6");
        agrees(c.with(c.query, c.key, random.normal(n, 0, 1e30)), "large values, seed 6");
        agrees(c.with(random.normal(n, 0, 40), c.key, c.value), "sharp, seed 6");
        agrees(
                c.with(random.normal(n, 40, 1), random.normal(n, 40, 1), c.value),
                "scores far above zero, seed 6");
        agrees(
                c.with(random.normal(n, 40, 1), random.normal(n, -40, 1), c.value),
                "scores far below zero, seed 6");
    }

    @Test
    void oneKeyFarAboveTheOthersTakesAll() {
        Case c = Case.random(Ragged.of(37), 1, 8, 0, Generators.seeded(7));
        float[] ones = new float[37 * 8];
        Arrays.fill(ones, 1f);
        for (int winner : new int[] {0, 16, 36}) {
            float[] key = new float[37 * 8];
            Arrays.fill(key, winner * 8, winner * 8 + 8, 1e6f);
            double[] wanted = new double[37 * 8];
            for (int i = 0; i < wanted.length; i++) {
                wanted[i] = c.value[winner * 8 + i % 8];
            }
            assertArrayEquals(
                    wanted,
                    c.with(ones, key, c.value).program().direct().on(tested()).get("y0"),
                    "the key at " + winner);
        }
    }

    @Test
    void queryKeyAndValueMayBeOne() {
        Ragged ragged = Ragged.of(19, 5);
        Recorder g = new Recorder("self-attention of one value");
        Tensor x = g.copy(g.input("x", ragged.rows(32)));
        Tensor offsets = g.input("offsets", ragged.offsetsType());
        Attention op = new Attention(2, 0.25f, 0);
        g.output("y0", g.apply(op, List.of(x, x, x, offsets)).getFirst());
        float[] values = Generators.seeded(8).normal(24 * 32);
        Run run =
                Run.of(g.program())
                        .given("x", values)
                        .givenIntegers("offsets", ragged.offsets())
                        .count("tokens", 24)
                        .count("sequences", 2);
        Case apart = new Case(op, ragged, 32, values, values, values);
        Run.assertSameBits(
                apart.program().reading(0).direct().on(tested()), run.on(tested()), "seed 8");
    }

    @Test
    void theLogarithmsOfSumsNeedNotBeRead() {
        Case c = Case.random(Ragged.of(21, 3), 3, 8, 0, Generators.seeded(9));
        Map<String, double[]> both = c.program().direct().on(tested());
        Map<String, double[]> first = c.program().reading(0).direct().on(tested());
        assertArrayEquals(both.get("y0"), first.get("y0"));
    }

    @ParameterizedTest
    @CsvSource({"0, 11, 16", "4, 12, 32", "64, 13, 33"})
    void aTextDoesNotDependOnItsNeighbours(int window, long seed, int headWidth) {
        Ragged ragged = Generators.ragged(seed);
        Case c = Case.random(ragged, 2, headWidth, window, Generators.seeded(seed));
        Map<String, double[]> all = c.program().direct().on(tested());
        for (int s = 0; s < ragged.sequences(); s++) {
            Map<String, double[]> alone = c.alone(s).program().direct().on(tested());
            int first = ragged.start(s);
            String what = ragged + ", sequence " + s + " alone";
            assertArrayEquals(
                    cut(all.get("y0"), c.width, first, ragged.length(s)), alone.get("y0"), what);
            assertArrayEquals(
                    cut(all.get("y1"), 2, first, ragged.length(s)), alone.get("y1"), what);
        }
    }
}

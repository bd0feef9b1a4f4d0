package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.ShapeException;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.op.Pool;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds a backend to {@link Pool}. */
public abstract class PoolConformance extends OpConformance {
    private static OneOp pool(Pool.Kind kind, Ragged ragged, int width, float[] x) {
        boolean isOwn = kind == Pool.Kind.OWN;
        OneOp op =
                new OneOp(new Pool(kind))
                        .with("x", isOwn ? ragged.sequenceRows(width) : ragged.rows(width), x)
                        .withIntegers("offsets", ragged.offsetsType(), ragged.offsets())
                        .count("sequences", ragged.sequences());
        return isOwn ? op : op.count("tokens", ragged.tokens());
    }

    /** How many rows x has. */
    private static int rows(Pool.Kind kind, Ragged ragged) {
        return kind == Pool.Kind.OWN ? ragged.sequences() : ragged.tokens();
    }

    /**
     * In any order, the sum of n rows errs by at most n unit roundoffs of the summed magnitudes;
     * the division, or a reciprocal and a product, by 2 of the mean. One row is copied.
     */
    private double[] agrees(Pool.Kind kind, Ragged ragged, int width, float[] x, String what) {
        return check(
                pool(kind, ragged, width, x),
                ragged + ", " + what,
                (i, y) -> {
                    if (kind != Pool.Kind.MEAN) {
                        return 0;
                    }
                    int length = ragged.length(i / width);
                    double magnitudes = 0;
                    for (int row = 0; row < length; row++) {
                        int at = (ragged.start(i / width) + row) * width + i % width;
                        magnitudes += Math.abs(x[at]) / length;
                    }
                    return Tolerance.roundings(length + 2) * magnitudes;
                });
    }

    private double[] agrees(Pool.Kind kind, Ragged ragged, int width) {
        Generators random = Generators.seeded(width);
        float[] x = random.normal(rows(kind, ragged) * width);
        return agrees(kind, ragged, width, x, random.toString());
    }

    @ParameterizedTest
    @EnumSource
    void givesZerosWhereThereAreNoTokens(Pool.Kind kind) {
        assertArrayEquals(new double[34], agrees(kind, Ragged.of(0, 0), 17));
        assertArrayEquals(new double[0], agrees(kind, Ragged.of(), 17));
        double[] y = agrees(kind, Ragged.of(2, 0, 1), 17);
        assertArrayEquals(new double[17], cut(y, 17, 1, 1));
    }

    @ParameterizedTest
    @EnumSource
    void takesHostileNumbers(Pool.Kind kind) {
        Generators random = Generators.seeded(3);
        Ragged ragged = Ragged.of(33, 1, 40);
        int elements = rows(kind, ragged) * 31;
        agrees(kind, ragged, 31, new float[elements], "zeros");
        agrees(kind, ragged, 31, random.normal(elements, 0, 1e35), "large, seed 3");
        agrees(kind, ragged, 31, random.normal(elements, 1000, 1), "far from zero, seed 3");
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        for (Pool.Kind kind : Pool.Kind.values()) {
            agrees(kind, Ragged.of(3, 0, 9, 1), width);
        }
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyLength(int tokens) {
        for (Pool.Kind kind : Pool.Kind.values()) {
            agrees(kind, Ragged.of(tokens, 1, tokens), 17);
        }
    }

    @ParameterizedTest
    @CsvSource({"MEAN, 1", "MEAN, 2", "CLS, 3"})
    void aTextDoesNotDependOnItsNeighbours(Pool.Kind kind, long seed) {
        int width = 37;
        Ragged ragged = Generators.ragged(seed);
        float[] x = Generators.seeded(seed).normal(ragged.tokens() * width);
        double[] all = agrees(kind, ragged, width, x, "seed " + seed);
        for (int s = 0; s < ragged.sequences(); s++) {
            float[] own = cut(x, width, ragged.start(s), ragged.length(s));
            assertArrayEquals(
                    cut(all, width, s, 1),
                    pool(kind, Ragged.of(ragged.length(s)), width, own)
                            .direct()
                            .on(tested())
                            .get("y0"),
                    ragged + ", sequence " + s);
        }
    }

    @Test
    void takesTheFirstRowForCls() {
        float[] x = {1, 2, 3, 4, 5, 6, 7, 8};
        assertArrayEquals(
                new double[] {1, 2, 7, 8}, agrees(Pool.Kind.CLS, Ragged.of(3, 1), 2, x, "by hand"));
    }

    @Test
    void takesASequencesOwnRowWhereItHasTokens() {
        float[] x = {1, 2, 3, 4, 5, 6};
        assertArrayEquals(
                new double[] {1, 2, 0, 0, 5, 6},
                agrees(Pool.Kind.OWN, Ragged.of(3, 0, 1), 2, x, "by hand"));
    }

    @Test
    void refusesRowsThatAreNotTheSequencesOwn() {
        Ragged ragged = Ragged.of(3, 1);
        List<Type> inputs = List.of(ragged.rows(2), ragged.offsetsType());
        String message =
                assertThrows(ShapeException.class, () -> new Pool(Pool.Kind.OWN).infer(inputs))
                        .getMessage();
        assertTrue(message.contains("a row for each of sequences<=4"), message);
    }
}

package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.InputException;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.op.Route;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link Route}. */
public abstract class RouteConformance extends OpConformance {
    private static final Tolerance ANY = (i, y) -> Double.MAX_VALUE;

    /** A router with the rows it is run on. */
    private record Case(Route op, int rows, int width, int experts, float[] x, float[] weight) {
        static Case random(Route op, int rows, int width, int experts, Generators random) {
            return new Case(
                    op,
                    rows,
                    width,
                    experts,
                    random.normal(rows * width),
                    random.normal(experts * width, 0, 1 / Math.sqrt(width)));
        }

        Case cut(int first, int count) {
            float[] some = OpConformance.cut(x, width, first, count);
            return new Case(op, count, width, experts, some, weight);
        }

        OneOp program() {
            return new OneOp(op)
                    .with("x", OpConformance.rows(rows, width), x)
                    .weight("router", weight, experts, width)
                    .count("tokens", rows);
        }

        double score(int row, int expert) {
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += (double) x[row * width + i] * weight[expert * width + i];
            }
            return sum;
        }

        double highest(int row) {
            double highest = Double.NEGATIVE_INFINITY;
            for (int expert = 0; expert < experts; expert++) {
                highest = Math.max(highest, score(row, expert));
            }
            return highest;
        }

        /** By how much a score of a row may be off: n multiply-adds in any order. */
        double scoreBound(int row) {
            double most = 0;
            for (int expert = 0; expert < experts; expert++) {
                double magnitudes = 0;
                for (int i = 0; i < width; i++) {
                    magnitudes +=
                            Math.abs((double) x[row * width + i] * weight[expert * width + i]);
                }
                most = Math.max(most, magnitudes);
            }
            return Tolerance.roundings(width) * most + width * Tolerance.TINY;
        }

        /**
         * Two scores off by the bound each swap places only if they are twice the bound apart; an
         * expert that takes another's place may thus have a score that much different, off by the
         * bound itself, and the divisor likewise. Then come the errors of a softmax: those of an
         * exponential and of their sum, and a division.
         */
        double relative(int row) {
            double bound = scoreBound(row);
            double highest = highest(row);
            double exponential = 0;
            for (int expert = 0; expert < experts; expert++) {
                double each = SoftmaxConformance.exponential(score(row, expert), highest);
                exponential = Math.max(exponential, each);
            }
            return Math.expm1(6 * bound)
                    + 1.01 * (2 * exponential + Tolerance.roundings(experts + 2));
        }

        Tolerance within(int perRow) {
            double[] relative = new double[rows];
            Arrays.setAll(relative, this::relative);
            return (i, y) -> relative[i / perRow] * y + Tolerance.TINY;
        }
    }

    /** Checks the numbers, and of every choice that differs that the scores hardly do. */
    private void agrees(Route op, int rows, int width, int experts) {
        Generators random = Generators.seeded(rows + 41L * width + 1681L * experts + op.chosen());
        agrees(Case.random(op, rows, width, experts, random), random.toString());
    }

    private void agrees(Case c, String what) {
        int chosen = c.op.chosen();
        check(c.program(), what, ANY, c.within(chosen), c.within(c.experts));
        double[] exact = c.program().direct().exactly().get("y0");
        double[] actual = c.program().direct().on(tested()).get("y0");
        for (int row = 0; row < c.rows; row++) {
            double[] own = Arrays.copyOfRange(actual, row * chosen, (row + 1) * chosen);
            assertEquals(chosen, Arrays.stream(own).distinct().count(), what + ", row " + row);
            for (int i = row * chosen; i < (row + 1) * chosen; i++) {
                double gap = c.score(row, (int) exact[i]) - c.score(row, (int) actual[i]);
                assertTrue(
                        exact[i] == actual[i] || Math.abs(gap) <= 2 * c.scoreBound(row),
                        what
                                + ", row "
                                + row
                                + ": a choice differs though the scores do by "
                                + gap);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("widths")
    void takesAnyWidth(int width) {
        agrees(new Route(2, true), 5, width, 8);
        agrees(new Route(3, false), 3, width, 5);
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(new Route(2, true), rows, 33, 8);
        agrees(new Route(1, false), rows, 31, 4);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 31, 64})
    void takesAnyCountOfExperts(int experts) {
        for (int chosen : new int[] {1, 2, 3, experts}) {
            for (boolean renormalised : new boolean[] {false, true}) {
                if (chosen <= experts) {
                    agrees(new Route(chosen, renormalised), 7, 19, experts);
                }
            }
        }
    }

    @Test
    void takesVectorsAndStacks() {
        float[] x = Generators.seeded(3).normal(30);
        float[] weight = Generators.seeded(4).normal(20);
        OneOp stack = new OneOp(new Route(2, true)).with("x", Type.f32(Shape.of(2, 3, 5)), x);
        Case c = new Case(new Route(2, true), 6, 5, 4, x, weight);
        check(stack.weight("router", weight, 4, 5), "stack", ANY, c.within(2), c.within(4));
        Case one = c.cut(0, 1);
        OneOp vector = new OneOp(one.op).with("x", Type.f32(Shape.of(5)), one.x);
        check(vector.weight("router", weight, 4, 5), "vector", ANY, one.within(2), one.within(4));
    }

    /** A gate that is divided by itself is 1, whatever the score. */
    @Test
    void aSingleRenormalisedGateIsOne() {
        Case c = Case.random(new Route(1, true), 17, 33, 8, Generators.seeded(5));
        for (double gate : c.program().direct().on(tested()).get("y1")) {
            assertEquals(1, gate);
        }
    }

    /** Sums of small integers are exact in F32, so that scores that should be equal are. */
    @ParameterizedTest
    @CsvSource({"1, 3", "17, 1", "40, 2", "65, 8"})
    void equalScoresGoToTheLowerIndex(int width, int chosen) {
        int rows = 23;
        int experts = 8;
        float[] x = integers(rows * width, 3, 7);
        float[] weight = integers(experts * width, 2, 8);
        // Experts 1, 4 and 6 are the same, and so are 0 and 7.
        for (int[] same : new int[][] {{1, 4}, {1, 6}, {0, 7}}) {
            System.arraycopy(weight, same[0] * width, weight, same[1] * width, width);
        }
        Case c = new Case(new Route(chosen, true), rows, width, experts, x, weight);
        double[] actual = c.program().direct().on(tested()).get("y0");
        for (int row = 0; row < rows; row++) {
            boolean[] taken = new boolean[experts];
            for (int choice = 0; choice < chosen; choice++) {
                int best = -1;
                for (int e = 0; e < experts; e++) {
                    if (!taken[e] && (best < 0 || c.score(row, e) > c.score(row, best))) {
                        best = e;
                    }
                }
                taken[best] = true;
                assertEquals(best, actual[row * chosen + choice], "row " + row);
            }
        }
    }

    private static float[] integers(int n, int most, long seed) {
        int[] drawn = Generators.seeded(seed).integers(n, 2 * most + 1);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = drawn[i] - most;
        }
        return values;
    }

    @Test
    void zeroesGoToTheFirstExpertsInEqualParts() {
        Case c = Case.random(new Route(2, false), 3, 17, 4, Generators.seeded(9));
        Case zeros = new Case(c.op, 3, 17, 4, new float[3 * 17], c.weight);
        Map<String, double[]> y = zeros.program().direct().on(tested());
        assertArrayEquals(new double[] {0, 1, 0, 1, 0, 1}, y.get("y0"));
        for (double gate : y.get("y1")) {
            assertEquals(0.25, gate);
        }
    }

    @Test
    void takesScoresFarApart() {
        Generators random = Generators.seeded(10);
        Case c = Case.random(new Route(3, true), 6, 33, 8, random);
        float[] far = random.normal(6 * 33, 0, 300);
        agrees(new Case(c.op, 6, 33, 8, far, c.weight), random + ", far apart");
        Case near = new Case(new Route(3, false), 6, 33, 8, random.normal(198, 0, 1e-30), c.weight);
        agrees(near, random + ", near zero");
    }

    @Test
    void writesOnlyWhatIsRead() {
        Case c = Case.random(new Route(2, true), 19, 33, 8, Generators.seeded(11));
        Map<String, double[]> all = c.program().direct().on(tested());
        Map<String, double[]> some = c.program().reading(0, 1).direct().on(tested());
        assertArrayEquals(all.get("y0"), some.get("y0"));
        assertArrayEquals(all.get("y1"), some.get("y1"));
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        Case c = Case.random(new Route(2, true), 40, 67, 6, Generators.seeded(12));
        Map<String, double[]> all = c.program().direct().on(tested());
        for (int count : new int[] {1, 5, 16}) {
            for (int first = 0; first + count <= 40; first += 11) {
                Map<String, double[]> alone = c.cut(first, count).program().direct().on(tested());
                for (int result = 0; result < 3; result++) {
                    int width = result == 2 ? 6 : 2;
                    assertArrayEquals(
                            cut(all.get("y" + result), width, first, count),
                            alone.get("y" + result),
                            count + " rows from " + first + " alone");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void namesTheRouterOfAScoreThatIsNotFiniteAndStaysUsable(float wrong) {
        Case c = Case.random(new Route(2, true), 23, 17, 5, Generators.seeded(13));
        float[] bad = c.x.clone();
        Arrays.fill(bad, 13 * 17, 14 * 17, wrong);
        float[] weight = c.weight.clone();
        Arrays.fill(weight, 0, 17, 2f);
        Run run = new Case(c.op, 23, 17, 5, c.x, weight).program().direct();
        try (Run.Opened opened = run.open(tested(), MemoryPlanner.shared())) {
            double[] wanted = opened.run().get("y1");
            run.given("x", bad);
            String message = assertThrows(InputException.class, opened::run).getMessage();
            for (String part : new String[] {"'router'", "row 13 ", "for expert 0:", "finite"}) {
                assertTrue(message.contains(part), () -> "'" + message + "' must name " + part);
            }
            run.given("x", c.x);
            assertArrayEquals(wanted, opened.run().get("y1"), "after an error");
        }
    }
}

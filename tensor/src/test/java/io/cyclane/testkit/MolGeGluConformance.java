package io.cyclane.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Glu;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MolGeGlu;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.testkit.MolGeGluCase.Sizes;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds a backend to {@link MolGeGlu}, and to what follows from its formula. */
public abstract class MolGeGluConformance extends OpConformance {
    private static final MolGeGlu WHOLE = MolGeGlu.of(1.5f);
    private static final MolGeGlu MIXED = WHOLE.mixingWeights();
    private static final List<MolGeGlu> FORMS =
            List.of(WHOLE, MIXED, WHOLE.plusResidual(), MIXED.plusResidual());

    private void agrees(MolGeGlu op, Sizes sizes) {
        long seed = sizes.rows() + 41L * sizes.width() + 1681L * sizes.hidden() + sizes.rank();
        Generators random = Generators.seeded(seed);
        MolGeGluCase c = MolGeGluCase.random(op, sizes, random);
        check(c.program(), random.toString(), c.tolerance(stored()));
    }

    private Tolerance tolerance(MolGeGluCase c) {
        return c.tolerance(stored()).storedAs(stored());
    }

    private double[] run(MolGeGluCase c) {
        return c.program().direct().on(tested()).get("y0");
    }

    @Test
    void takesEveryForm() {
        for (MolGeGlu op : FORMS) {
            agrees(op, Sizes.of(5, 19, 17));
            agrees(op, Sizes.of(17, 32, 48));
            agrees(op, Sizes.of(2, 1, 1));
            agrees(op, Sizes.of(3, 33, 20).outputs(41));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 15, 16, 17, 31, 33, 61, 127})
    void takesAnyWidthBetween(int width) {
        agrees(WHOLE, Sizes.of(3, 17, width));
        agrees(MIXED.plusResidual(), Sizes.of(3, 17, width));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "193, 7", "7, 193", "33, 97"})
    void takesAnyWidthOutside(int inputs, int outputs) {
        agrees(WHOLE, Sizes.of(3, inputs, 40).outputs(outputs));
        agrees(MIXED, Sizes.of(3, inputs, 40).outputs(outputs));
    }

    @ParameterizedTest
    @MethodSource("rowCounts")
    void takesAnyCountOfRows(int rows) {
        agrees(WHOLE.plusResidual(), Sizes.of(rows, 33, 37));
        agrees(MIXED, Sizes.of(rows, 31, 32));
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "1, 8, 16", "2, 8, 16", "3, 4, 5", "4, 4, 32", "2, 33, 1", "8, 8, 17"})
    void takesAnyChoicesExpertsAndRank(int choices, int experts, int rank) {
        Sizes sizes = Sizes.of(7, 34, 50).choices(choices).experts(experts, rank);
        agrees(WHOLE, sizes);
        agrees(MIXED, sizes);
    }

    @ParameterizedTest
    @CsvSource({"130, 16, 24", "230, 8, 40"})
    void takesSeveralBlocksOfRows(int rows, int width, int hidden) {
        agrees(WHOLE, Sizes.of(rows, width, hidden));
        agrees(MIXED.plusResidual(), Sizes.of(rows, width, hidden));
    }

    /** As wide as a model's layer, so that few rows are dealt out otherwise, if they are. */
    @ParameterizedTest
    @CsvSource({"1, 193, 1152", "5, 200, 385", "2, 768, 400"})
    void takesFewRowsOfWideLayers(int rows, int width, int hidden) {
        Sizes sizes = Sizes.of(rows, width, hidden).experts(8, 16);
        agrees(WHOLE.plusResidual(), sizes);
    }

    @ParameterizedTest
    @CsvSource({"3, 768, 1152", "3, 1024, 2624"})
    @Tag("long")
    void takesWholeLayersOfModels(int rows, int width, int hidden) {
        agrees(WHOLE, Sizes.of(rows, width, hidden).experts(8, 16));
        agrees(MIXED, Sizes.of(rows, width, hidden).experts(8, 16));
    }

    @Test
    void takesHostileNumbers() {
        Generators random = Generators.seeded(5);
        for (MolGeGlu op : FORMS) {
            MolGeGluCase c = MolGeGluCase.random(op, Sizes.of(6, 33, 17), random);
            for (float[] x :
                    List.of(
                            new float[198],
                            random.normal(198, 0, 1e12),
                            random.normal(198, 0, 1e-30))) {
                MolGeGluCase hostile = c.on(x);
                check(hostile.program(), random.toString(), hostile.tolerance(stored()));
            }
        }
    }

    /** Updates of zero add exact zeros, so the bits are those of a plain layer. */
    @ParameterizedTest
    @CsvSource({"5, 19, 17", "40, 67, 34", "1, 193, 1152"})
    void withoutUpdatesAndWithOneGateOrEqualHalvesItIsThePlainLayer(
            int rows, int width, int hidden) {
        for (MolGeGlu op : FORMS) {
            MolGeGluCase c = withoutUpdates(op, Sizes.of(rows, width, hidden), 21);
            double[] plain = plainLayer(c);
            int[] experts = Generators.seeded(22).integers(2 * rows, 5);
            int[] single = Arrays.copyOf(experts, rows);
            assertSame(plain, run(c.routed(1, single, filled(rows, 1f))), op + ", one gate");
            assertSame(plain, run(c.routed(2, experts, filled(2 * rows, 0.5f))), op + ", halves");
        }
    }

    /**
     * Gates made to sum to 1 do so within k + 1 roundings; the sum of the hidden values adds k
     * more, and each product with wo, or each of its k summands, errs on its own.
     */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void withoutUpdatesAndWithRenormalisedGatesItIsThePlainLayerNearly(int choices) {
        Sizes sizes = Sizes.of(17, 67, 34);
        MolGeGluCase c = withoutUpdates(WHOLE, sizes, 23);
        Generators random = Generators.seeded(24);
        float[] gates = random.uniform(17 * choices, 0.05, 1);
        for (int row = 0; row < 17; row++) {
            float sum = 0;
            for (int j = 0; j < choices; j++) {
                sum += gates[row * choices + j];
            }
            for (int j = 0; j < choices; j++) {
                gates[row * choices + j] /= sum;
            }
        }
        int[] experts = random.integers(17 * choices, 5);
        double[] plain = plainLayer(c);
        double[] mixed = run(c.routed(choices, experts, gates));
        double[] magnitudes = plainMagnitudes(c);
        for (int i = 0; i < plain.length; i++) {
            double allowed =
                    (MolGeGluCase.roundings(stored())
                                    + Tolerance.roundings(2 * (sizes.hidden() + choices + 2)))
                            * magnitudes[i];
            assertEquals(plain[i], mixed[i], allowed + Tolerance.TINY, "element " + i);
        }
    }

    private static MolGeGluCase withoutUpdates(MolGeGlu op, Sizes sizes, long seed) {
        MolGeGluCase c = MolGeGluCase.random(op, sizes, Generators.seeded(seed));
        return c.updated(
                sizes.experts(),
                c.a1(),
                new float[c.b1().length],
                c.a2(),
                new float[c.b2().length]);
    }

    private double[] plainLayer(MolGeGluCase c) {
        Sizes s = c.sizes();
        Recorder g = new Recorder("plain");
        Tensor x = g.input("x", rows(s.rows(), s.width()));
        Tensor wide =
                g.first(
                        Linear.plain(false),
                        x,
                        g.parameter(Parameter.of("wi", 2 * s.hidden(), s.width())));
        Tensor y =
                g.first(
                        Linear.plain(false),
                        g.glu(wide, Activation.GELU),
                        g.parameter(Parameter.of("wo", s.outputs(), s.hidden())));
        Run run;
        if (c.op().residual()) {
            Tensor more = g.input("residual", rows(s.rows(), s.outputs()));
            run = Run.of(g.output("y", g.add(y, more)).program()).given("residual", c.residual());
        } else {
            run = Run.of(g.output("y", y).program());
        }
        return run.given("x", c.x())
                .given("wi", c.wi())
                .given("wo", c.wo())
                .count("tokens", s.rows())
                .on(tested())
                .get("y");
    }

    /** The sums of |wo| |z|, z as the backend gives it. */
    private double[] plainMagnitudes(MolGeGluCase c) {
        Sizes s = c.sizes();
        Recorder g = new Recorder("hidden");
        Tensor x = g.input("x", rows(s.rows(), s.width()));
        Tensor weight = g.parameter(Parameter.of("wi", 2 * s.hidden(), s.width()));
        Tensor z = g.first(new Glu(Activation.GELU), g.first(Linear.plain(false), x, weight));
        double[] hidden =
                Run.of(g.output("z", z).program())
                        .given("x", c.x())
                        .given("wi", c.wi())
                        .count("tokens", s.rows())
                        .on(tested())
                        .get("z");
        double[] magnitudes = new double[s.rows() * s.outputs()];
        for (int i = 0; i < magnitudes.length; i++) {
            for (int k = 0; k < s.hidden(); k++) {
                double value = hidden[i / s.outputs() * s.hidden() + k];
                magnitudes[i] += Math.abs(value * c.wo()[i % s.outputs() * s.hidden() + k]);
            }
        }
        return magnitudes;
    }

    /** An update that all experts share is a plain layer's, however a row is routed. */
    @Test
    void identicalExpertsAreOneUpdateOfThePlainLayer() {
        Sizes sizes = Sizes.of(23, 33, 40);
        for (MolGeGlu op : FORMS) {
            MolGeGluCase one = MolGeGluCase.random(op, sizes.experts(1, 7), Generators.seeded(31));
            MolGeGluCase same =
                    one.updated(
                            5,
                            repeated(one.a1()),
                            repeated(one.b1()),
                            repeated(one.a2()),
                            repeated(one.b2()));
            float[] gates = new float[46];
            for (int row = 0; row < 23; row++) {
                gates[2 * row] = row / 32f;
                gates[2 * row + 1] = 1 - row / 32f;
            }
            int[] routes = Generators.seeded(32).integers(46, 5);
            MolGeGluCase routed = same.routed(2, routes, gates);
            MolGeGluCase plain = one.routed(1, new int[23], filled(23, 1f));
            double[] wanted = updatedLayer(plain);
            Tolerance.assertWithin(tolerance(plain), wanted, run(plain), op + ", one expert");
            Tolerance.assertWithin(tolerance(routed), wanted, run(routed), op + ", the same");
        }
    }

    private static float[] repeated(float[] factor) {
        float[] five = new float[5 * factor.length];
        for (int i = 0; i < five.length; i++) {
            five[i] = factor[i % factor.length];
        }
        return five;
    }

    /** The plain layer with the update of the first expert multiplied out, exactly. */
    private static double[] updatedLayer(MolGeGluCase c) {
        Sizes s = c.sizes();
        double scale = c.op().scale();
        double[] y = new double[s.rows() * s.outputs()];
        double[] wi = updated(c.wi(), c.a1(), c.b1(), scale, s.rank(), s.width());
        double[] wo = updated(c.wo(), c.a2(), c.b2(), scale, s.rank(), s.hidden());
        for (int row = 0; row < s.rows(); row++) {
            for (int i = 0; i < s.hidden(); i++) {
                double a = 0;
                double b = 0;
                for (int k = 0; k < s.width(); k++) {
                    double value = c.x()[row * s.width() + k];
                    a += wi[i * s.width() + k] * value;
                    b += wi[(s.hidden() + i) * s.width() + k] * value;
                }
                double z = a * (1 + erf(a / Math.sqrt(2))) / 2 * b;
                for (int o = 0; o < s.outputs(); o++) {
                    y[row * s.outputs() + o] += wo[o * s.hidden() + i] * z;
                }
            }
            for (int o = 0; c.op().residual() && o < s.outputs(); o++) {
                y[row * s.outputs() + o] += c.residual()[row * s.outputs() + o];
            }
        }
        return y;
    }

    /** The series without cancellation: 2 x exp(-x^2) / sqrt(pi) * sum of (2 x^2)^n / (2n+1)!!. */
    private static double erf(double x) {
        double term = 1;
        double sum = 1;
        for (int n = 1; term > 1e-18 * sum; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 * x * Math.exp(-x * x) / Math.sqrt(Math.PI) * sum;
    }

    private static double[] updated(
            float[] weight, float[] a, float[] b, double scale, int rank, int inputs) {
        double[] sum = new double[weight.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = weight[i];
            for (int r = 0; r < rank; r++) {
                double up = b[i / inputs * rank + r];
                sum[i] += scale * up * a[r * inputs + i % inputs];
            }
        }
        return sum;
    }

    /** Products with zero add nothing, so the bits are those of the one expert. */
    @Test
    void oneOpenGateIsThatExpertAlone() {
        for (MolGeGlu op : FORMS) {
            MolGeGluCase c = MolGeGluCase.random(op, Sizes.of(23, 33, 40), Generators.seeded(41));
            int[] both = c.chosen();
            int[] alone = new int[23];
            float[] gates = new float[46];
            for (int row = 0; row < 23; row++) {
                int open = row % 2;
                gates[2 * row + open] = 1;
                alone[row] = both[2 * row + open];
            }
            double[] wanted = run(c.routed(1, alone, filled(23, 1f)));
            assertSame(wanted, run(c.routed(2, both, gates)), op.toString());
        }
    }

    /** Gates of 1 for two experts give the sum of both layers, not of both updates. */
    @Test
    void wholeLayersAreMixedNotTheirWeights() {
        MolGeGluCase whole = MolGeGluCase.random(WHOLE, Sizes.of(5, 19, 17), Generators.seeded(43));
        MolGeGluCase mixed = MolGeGluCase.random(MIXED, Sizes.of(5, 19, 17), Generators.seeded(43));
        double e = Tolerance.relativeToRms(run(whole), run(mixed));
        assertTrue(e > 0.1, () -> "the two forms differ by " + e);
    }

    @Test
    void takesWhatARouterGives() {
        Sizes s = Sizes.of(23, 33, 40);
        MolGeGluCase c = MolGeGluCase.random(WHOLE, s, Generators.seeded(51));
        Recorder g = new Recorder("routed");
        Tensor x = g.input("x", rows(s.rows(), s.width()));
        List<Tensor> route =
                g.apply(
                        new Route(2, true),
                        List.of(x, g.parameter(Parameter.of("router", 5, s.width()))));
        Tensor y =
                g.first(
                        WHOLE,
                        x,
                        route.get(0),
                        route.get(1),
                        g.parameter(Parameter.of("wi", 2 * s.hidden(), s.width())),
                        g.parameter(Parameter.of("wo", s.outputs(), s.hidden())),
                        g.parameter(Parameter.of("a1", 5, s.rank(), s.width())),
                        g.parameter(Parameter.of("b1", 5, 2 * s.hidden(), s.rank())),
                        g.parameter(Parameter.of("a2", 5, s.rank(), s.hidden())),
                        g.parameter(Parameter.of("b2", 5, s.outputs(), s.rank())));
        g.output("experts", route.get(0)).output("gates", route.get(1)).output("y", y);
        var routed =
                Run.of(g.program())
                        .given("x", c.x())
                        .given("router", Generators.seeded(52).normal(5 * s.width()))
                        .given("wi", c.wi())
                        .given("wo", c.wo())
                        .given("a1", c.a1())
                        .given("b1", c.b1())
                        .given("a2", c.a2())
                        .given("b2", c.b2())
                        .count("tokens", s.rows())
                        .on(tested());
        int[] experts = Arrays.stream(routed.get("experts")).mapToInt(e -> (int) e).toArray();
        double[] given = routed.get("gates");
        float[] gates = new float[given.length];
        for (int i = 0; i < gates.length; i++) {
            gates[i] = (float) given[i];
        }
        assertArrayEquals(run(c.routed(2, experts, gates)), routed.get("y"));
    }

    @ParameterizedTest
    @CsvSource({"67, 34", "200, 96", "193, 1152"})
    void aRowDoesNotDependOnItsNeighbours(int width, int hidden) {
        for (MolGeGlu op : List.of(WHOLE, MIXED.plusResidual())) {
            MolGeGluCase c =
                    MolGeGluCase.random(op, Sizes.of(40, width, hidden), Generators.seeded(9));
            double[] all = run(c);
            for (int together : new int[] {1, 5, 16}) {
                for (int from = 0; from + together <= 40; from += 11) {
                    int first = from;
                    assertArrayEquals(
                            cut(all, width, from, together),
                            run(c.cut(from, together)),
                            () -> together + " rows from " + first + " alone");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {5, -1, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void namesAnExpertThatIsNoneAndStaysUsable(int wrong) {
        MolGeGluCase c = MolGeGluCase.random(WHOLE, Sizes.of(9, 17, 20), Generators.seeded(2));
        ExpertMatMulConformance.assertNamesExpert(
                c.program().direct(), c.chosen(), wrong, 5, tested());
    }

    private static float[] filled(int n, float value) {
        float[] values = new float[n];
        Arrays.fill(values, value);
        return values;
    }

    /** Equal but for the sign of zeros. */
    private static void assertSame(double[] wanted, double[] actual, String what) {
        for (int i = 0; i < wanted.length; i++) {
            int index = i;
            assertTrue(
                    wanted[i] == actual[i],
                    () ->
                            "%s: element %d is %s, wanted %s"
                                    .formatted(what, index, actual[index], wanted[index]));
        }
    }
}

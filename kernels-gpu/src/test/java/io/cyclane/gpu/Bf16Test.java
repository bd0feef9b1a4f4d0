package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.op.Activation;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.MatMul;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.testkit.Generators;
import io.cyclane.testkit.Run;
import io.cyclane.testkit.Tolerance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dense layers by matrix instructions: weights in bf16, sums in F32. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class Bf16Test {
    /** The unit roundoff of bf16: half the distance from 1 to the next number. */
    private static final double BF16_UNIT = 0x1p-8;

    private final HostDriver driver = HostDriver.orSkip();
    private Backend backend;

    @BeforeAll
    void open() {
        backend = GpuOnHost.open(driver, Precision.BF16);
    }

    @AfterAll
    void close() {
        backend.close();
    }

    private static Type rows(int rows, int width) {
        return Type.f32(Shape.of(new Extent.Bounded("tokens", rows + 3), Extent.of(width)));
    }

    private static float[] rounded(float[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            int bits = Float.floatToRawIntBits(values[i]);
            rounded[i] = Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
        }
        return rounded;
    }

    /** A product on these numbers, in either form of the right factor. */
    private static Run product(
            boolean transposed, int rows, int inner, int outputs, float[] x, float[] weight) {
        Recorder g = new Recorder("product");
        Tensor left = g.input("x", rows(rows, inner));
        Tensor right =
                g.parameter(
                        transposed
                                ? Parameter.of("weight", outputs, inner)
                                : Parameter.of("weight", inner, outputs));
        g.output("y", g.first(new MatMul(transposed), left, right));
        return Run.of(g.program()).given("x", x).given("weight", weight).count("tokens", rows);
    }

    /** The sums of |x| |weight|. */
    private static double[] magnitudes(Run run, float[] x, float[] weight) {
        float[] bothX = absolute(x);
        float[] bothWeight = absolute(weight);
        double[] sums = run.given("x", bothX).given("weight", bothWeight).exactly().get("y");
        run.given("x", x).given("weight", weight);
        return sums;
    }

    private static float[] absolute(float[] values) {
        float[] absolute = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            absolute[i] = Math.abs(values[i]);
        }
        return absolute;
    }

    /**
     * Numbers that bf16 holds have exact products in F32, and their sum, in any order, a rounding
     * per element; others are rounded first, each by at most a unit roundoff of bf16.
     */
    private void agrees(boolean transposed, int rows, int inner, int outputs) {
        Generators random = Generators.seeded(rows + 41L * inner + 1681L * outputs);
        float[] x = random.normal(rows * inner);
        float[] weight = random.normal(inner * outputs);
        within(transposed, rows, inner, outputs, rounded(x), rounded(weight), 0);
        double ofRounding = 2 * BF16_UNIT + BF16_UNIT * BF16_UNIT;
        within(transposed, rows, inner, outputs, x, weight, ofRounding);
    }

    private void within(
            boolean transposed,
            int rows,
            int inner,
            int outputs,
            float[] x,
            float[] weight,
            double ofRounding) {
        Run run = product(transposed, rows, inner, outputs, x, weight);
        double[] magnitudes = magnitudes(run, x, weight);
        double relative = ofRounding + (1 + ofRounding) * Tolerance.roundings(inner);
        Tolerance.assertWithin(
                (i, _) -> relative * magnitudes[i] + Tolerance.TINY,
                run.exactly().get("y"),
                run.on(backend).get("y"),
                "%d x %d x %d, transposed %s".formatted(rows, inner, outputs, transposed));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97})
    void takesAnyCountOfRows(int rows) {
        agrees(true, rows, 33, 37);
        agrees(false, rows, 31, 64);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 384})
    void takesAnyWidth(int width) {
        agrees(true, 5, width, 19);
        agrees(true, 5, 19, width);
        agrees(false, 5, width, 19);
    }

    @ParameterizedTest
    @CsvSource({"14, 384, 384", "3, 1536, 384", "2, 768, 1152"})
    void takesWidthsOfModels(int rows, int inner, int outputs) {
        agrees(true, rows, inner, outputs);
    }

    /**
     * Every form, against F32 kernels on numbers that bf16 holds: only the order of sums differs.
     */
    @ParameterizedTest
    @EnumSource
    void takesEveryForm(Activation function) {
        try (Backend wide = GpuOnHost.open(HostDriver.orSkip())) {
            for (boolean bias : new boolean[] {false, true}) {
                for (boolean gated : new boolean[] {false, true}) {
                    for (Linear linear :
                            List.of(
                                    new Linear(bias, function, gated, false, 1),
                                    new Linear(bias, function, gated, true, 1),
                                    new Linear(bias, function, gated, false, 3))) {
                        Run run = layer(linear, 70, 40, 156);
                        Map<String, double[]> wanted = run.on(wide);
                        Map<String, double[]> actual = run.on(backend);
                        wanted.forEach((name, values) -> {
                            double e = Tolerance.relativeToRms(values, actual.get(name));
                            assertTrue(e <= 1e-5, () -> linear + ", " + name + ": " + e);
                        });
                    }
                }
            }
        }
    }

    private static Run layer(Linear linear, int rows, int inner, int outputs) {
        Generators random = Generators.seeded(outputs + linear.parts());
        Recorder g = new Recorder("layer");
        int width = linear.gated() ? outputs / 2 : outputs;
        List<Tensor> inputs = new ArrayList<>();
        inputs.add(g.input("x", rows(rows, inner)));
        inputs.add(g.parameter(Parameter.of("weight", outputs, inner)));
        if (linear.bias()) {
            inputs.add(g.parameter(Parameter.of("bias", outputs)));
        }
        if (linear.residual()) {
            inputs.add(g.input("residual", rows(rows, width)));
        }
        List<Tensor> results = g.apply(linear, inputs);
        for (int i = 0; i < results.size(); i++) {
            g.output("y" + i, results.get(i));
        }
        Run run =
                Run.of(g.program())
                        .given("x", rounded(random.normal(rows * inner)))
                        .given("weight", rounded(random.normal(outputs * inner, 0, 0.2)))
                        .count("tokens", rows);
        if (linear.bias()) {
            run.given("bias", random.normal(outputs));
        }
        return linear.residual() ? run.given("residual", random.normal(rows * width)) : run;
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        Generators random = Generators.seeded(9);
        float[] x = random.normal(70 * 45);
        float[] weight = random.normal(45 * 33);
        double[] all = product(true, 70, 45, 33, x, weight).on(backend).get("y");
        for (int first = 0; first < 70; first += 13) {
            int from = first;
            float[] row = Arrays.copyOfRange(x, from * 45, from * 45 + 45);
            assertArrayEquals(
                    Arrays.copyOfRange(all, from * 33, from * 33 + 33),
                    product(true, 1, 45, 33, row, weight).on(backend).get("y"),
                    () -> "row " + from + " alone");
        }
    }

    @Test
    void halvesWhatItsWeightsTake() {
        Run run = product(true, 3, 16, 24, new float[48], new float[384]);
        run.on(backend);
        Recorder g = new Recorder("bytes");
        Tensor x = g.input("x", rows(3, 16));
        Tensor weight = g.parameter(Parameter.of("weight", 24, 16));
        g.output("y", g.first(new MatMul(true), x, weight));
        assertEquals(Map.of("bf16Rows", 2L * 384), backend.weightBytes(backend.lower(g.program())));
        assertTrue(driver.launches().containsKey("linear_bf16"), driver.launches().toString());
        assertTrue(!driver.launches().containsKey("linear_f32"), driver.launches().toString());
    }
}

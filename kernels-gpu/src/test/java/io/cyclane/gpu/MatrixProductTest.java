package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.Bf16;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.memory.MemoryPlanner;
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
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Dense layers by matrix instructions, in all their forms: by blocks of 128 x 128 products, which
 * large capacities get, of 64 x 64, and for widths whose rows are not whole chunks.
 */
class MatrixProductTest {
    /** A room that gets the large blocks. */
    private static final int LARGE = 20_000;

    private final HostDriver driver = HostDriver.orSkip();

    private Backend open(Precision precision) {
        return GpuOnHost.open(driver, precision);
    }

    private static Type rows(int room, int width) {
        return Type.f32(Shape.of(new Extent.Bounded("tokens", room), Extent.of(width)));
    }

    private static float[] rounded(float[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = Bf16.widened(Bf16.rounded(values[i]));
        }
        return rounded;
    }

    private static float[] transposed(float[] values, int rows, int columns) {
        float[] transposed = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            transposed[i % columns * rows + i / columns] = values[i];
        }
        return transposed;
    }

    /** A product on these numbers, in either form of the right factor. */
    private static Run product(
            boolean isTransposed, int room, int inner, int outputs, float[] x, float[] weight) {
        Recorder g = new Recorder("product");
        Tensor left = g.input("x", rows(room, inner));
        Tensor right =
                g.parameter(
                        isTransposed
                                ? Parameter.of("weight", outputs, inner)
                                : Parameter.of("weight", inner, outputs));
        g.output("y", g.first(new MatMul(isTransposed), left, right));
        return Run.of(g.program())
                .given("x", x)
                .given("weight", weight)
                .count("tokens", x.length / inner);
    }

    private static float[] absolute(float[] values) {
        float[] absolute = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            absolute[i] = Math.abs(values[i]);
        }
        return absolute;
    }

    /**
     * Numbers that an instruction takes as they are have exact products in F32, and their sum, in
     * any order, a rounding per element; others are rounded first, each by at most a unit roundoff
     * of 8 bits of bf16 or 11 of tf32.
     */
    private void agrees(Precision precision, int room, int rows, int inner, int outputs) {
        Generators random = Generators.seeded(rows + 41L * inner + 1681L * outputs);
        float[] x = random.normal(rows * inner);
        float[] weight = random.normal(inner * outputs);
        double unit = precision == Precision.BF16 ? 0x1p-8 : 0x1p-11;
        try (Backend backend = open(precision)) {
            within(backend, precision, room, inner, outputs, rounded(x), rounded(weight), 0);
            within(backend, precision, room, inner, outputs, x, weight, 2 * unit + unit * unit);
        }
    }

    private static void within(
            Backend backend,
            Precision precision,
            int room,
            int inner,
            int outputs,
            float[] x,
            float[] weight,
            double ofRounding) {
        Run run = product(true, room, inner, outputs, x, weight);
        double[] magnitudes =
                product(true, room, inner, outputs, absolute(x), absolute(weight))
                        .exactly()
                        .get("y");
        double relative = ofRounding + (1 + ofRounding) * Tolerance.roundings(inner);
        Tolerance ofSums = (i, _) -> relative * magnitudes[i] + Tolerance.TINY;
        Tolerance.assertWithin(
                ofSums.storedAs(precision == Precision.BF16 ? DType.BF16 : DType.F32),
                run.exactly().get("y"),
                run.on(backend, MemoryPlanner.shared()).get("y"),
                "%s, %d x %d x %d".formatted(precision, x.length / inner, inner, outputs));
    }

    /** Blocks of 128 rows and columns, whole ones and parts; more than eight go in groups. */
    @ParameterizedTest
    @CsvSource({
        "1, 8, 8",
        "127, 40, 100",
        "128, 64, 128",
        "129, 72, 130",
        "257, 32, 263",
        "1157, 40, 300"
    })
    void takesAnyCountOfRowsByLargeBlocks(int rows, int inner, int outputs) {
        agrees(Precision.BF16, LARGE, rows, inner, outputs);
        assertTrue(driver.launches().containsKey("linear_bf16"), driver.launches().toString());
    }

    @ParameterizedTest
    @CsvSource({"1, 8, 8", "129, 72, 130", "257, 32, 263"})
    void takesAnyCountOfRowsByLargeBlocksInTf32(int rows, int inner, int outputs) {
        agrees(Precision.TF32, LARGE, rows, inner, outputs);
        assertTrue(driver.launches().containsKey("linear_tf32"), driver.launches().toString());
    }

    /** More tiles of the inner extent than are on their way, and parts of one. */
    @ParameterizedTest
    @CsvSource({
        "5, 1, 19",
        "5, 15, 19",
        "5, 31, 19",
        "5, 33, 19",
        "5, 64, 19",
        "5, 96, 19",
        "65, 127, 70",
        "65, 384, 70",
        "3, 1536, 64"
    })
    void takesAnyInnerWidth(int rows, int inner, int outputs) {
        agrees(Precision.BF16, rows + 1, rows, inner, outputs);
        agrees(Precision.TF32, rows + 1, rows, inner, outputs);
    }

    /** The order of a sum is that of the inner extent, whatever the block and the layout. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "TF32"})
    void everyFormGivesTheSameBits(Precision precision) {
        Generators random = Generators.seeded(3);
        float[] x = random.normal(150 * 104);
        float[] weight = random.normal(100 * 104);
        try (Backend backend = open(precision)) {
            double[] small = product(true, 153, 104, 100, x, weight).on(backend).get("y");
            assertArrayEquals(
                    small, product(true, LARGE, 104, 100, x, weight).on(backend).get("y"));
            assertArrayEquals(
                    small,
                    product(false, 153, 104, 100, x, transposed(weight, 100, 104))
                            .on(backend)
                            .get("y"));
        }
        String name = precision.name().toLowerCase(Locale.ROOT);
        for (String form : List.of("linear_", "linear_small_", "linear_any_")) {
            assertTrue(driver.launches().containsKey(form + name), driver.launches().toString());
        }
    }

    /** What follows the product, by large blocks as by small ones, which suites hold. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "TF32"})
    void everyLayerIsTheSameByLargeBlocks(Precision precision) {
        try (Backend backend = open(precision)) {
            for (int outputs : new int[] {264, 156}) {
                for (boolean bias : new boolean[] {false, true}) {
                    for (boolean gated : new boolean[] {false, true}) {
                        for (Linear linear :
                                List.of(
                                        new Linear(bias, Activation.GELU, gated, false, 1),
                                        new Linear(bias, Activation.IDENTITY, gated, true, 1),
                                        new Linear(bias, Activation.SILU, gated, false, 3))) {
                            Run.assertSameBits(
                                    layer(linear, 133, outputs).on(backend, MemoryPlanner.shared()),
                                    layer(linear, LARGE, outputs)
                                            .on(backend, MemoryPlanner.shared()),
                                    linear + " of " + outputs);
                        }
                    }
                }
            }
        }
    }

    private static Run layer(Linear linear, int room, int outputs) {
        int rows = 130;
        int inner = 40;
        Generators random = Generators.seeded(outputs + linear.parts());
        Recorder g = new Recorder("layer");
        int width = linear.gated() ? outputs / 2 : outputs;
        List<Tensor> inputs = new ArrayList<>();
        inputs.add(g.input("x", rows(room, inner)));
        inputs.add(g.parameter(Parameter.of("weight", outputs, inner)));
        if (linear.bias()) {
            inputs.add(g.parameter(Parameter.of("bias", outputs)));
        }
        if (linear.residual()) {
            inputs.add(g.input("residual", rows(room, width)));
        }
        List<Tensor> results = g.apply(linear, inputs);
        for (int i = 0; i < results.size(); i++) {
            g.output("y" + i, results.get(i));
        }
        Run run =
                Run.of(g.program())
                        .given("x", random.normal(rows * inner))
                        .given("weight", random.normal(outputs * inner, 0, 0.2))
                        .count("tokens", rows);
        if (linear.bias()) {
            run.given("bias", random.normal(outputs));
        }
        return linear.residual() ? run.given("residual", random.normal(rows * width)) : run;
    }

    @Test
    void aRowDoesNotDependOnItsNeighbours() {
        Generators random = Generators.seeded(9);
        float[] x = random.normal(200 * 48);
        float[] weight = random.normal(48 * 33);
        try (Backend backend = open(Precision.BF16)) {
            double[] all = product(true, LARGE, 48, 33, x, weight).on(backend).get("y");
            for (int first = 0; first < 200; first += 13) {
                int from = first;
                float[] row = Arrays.copyOfRange(x, from * 48, from * 48 + 48);
                for (int room : new int[] {1, LARGE}) {
                    assertArrayEquals(
                            Arrays.copyOfRange(all, from * 33, from * 33 + 33),
                            product(true, room, 48, 33, row, weight)
                                    .on(backend, MemoryPlanner.shared())
                                    .get("y"),
                            () -> "row " + from + " alone");
                }
            }
        }
    }

    @Test
    void bf16HalvesWhatWeightsTake() {
        Recorder g = new Recorder("bytes");
        Tensor x = g.input("x", rows(3, 16));
        Tensor weight = g.parameter(Parameter.of("weight", 24, 16));
        g.output("y", g.first(new MatMul(true), x, weight));
        try (Backend bf16 = open(Precision.BF16);
                Backend tf32 = open(Precision.TF32)) {
            assertEquals(Map.of("bf16Rows", 2L * 384), bf16.weightBytes(bf16.lower(g.program())));
            assertEquals(Map.of("rows", 4L * 384), tf32.weightBytes(tf32.lower(g.program())));
        }
    }
}

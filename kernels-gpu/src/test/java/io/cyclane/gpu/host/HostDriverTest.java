package io.cyclane.gpu.host;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.GpuOnHost;
import io.cyclane.gpu.Mixtures;
import io.cyclane.gpu.driver.Grid;
import io.cyclane.tensor.Extent;
import io.cyclane.tensor.Parameter;
import io.cyclane.tensor.Shape;
import io.cyclane.tensor.Tensor;
import io.cyclane.tensor.Type;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.memory.MemoryPlanner;
import io.cyclane.tensor.op.Attention;
import io.cyclane.tensor.op.Linear;
import io.cyclane.tensor.op.Route;
import io.cyclane.tensor.program.Loop;
import io.cyclane.tensor.program.Recorder;
import io.cyclane.testkit.Generators;
import io.cyclane.testkit.Ragged;
import io.cyclane.testkit.Run;
import io.cyclane.testkit.Tolerance;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The host driver sees what it is there to see: barriers that are missing or divergent, writes
 * outside of memory, a grid that does not fit. Each is put into a kernel or a launch on purpose.
 */
class HostDriverTest {
    private static final double CORRECT = 1e-4;

    /** Roundings of 2^-8 of inputs, weights and results, which are several times the RMS. */
    private static final double CORRECT_IN_BF16 = 0.1;

    /** Rows and widths of several blocks, of which the last are in part. */
    private static Run linear() {
        Generators random = Generators.seeded(1);
        Recorder g = new Recorder("linear");
        Tensor x = g.input("x", rows(150, 70));
        Tensor weight = g.parameter(Parameter.of("weight", 130, 70));
        g.output("y", g.first(Linear.plain(false), x, weight));
        return Run.of(g.program())
                .given("x", random.normal(150 * 70))
                .given("weight", random.normal(130 * 70))
                .count("tokens", 150);
    }

    /** Rows of whole chunks, which are copied ahead, and more tiles than are on their way. */
    private static Run chunks() {
        Generators random = Generators.seeded(5);
        Recorder g = new Recorder("chunks");
        Tensor x = g.input("x", rows(150, 200));
        Tensor weight = g.parameter(Parameter.of("weight", 130, 200));
        g.output("y", g.first(Linear.plain(false), x, weight));
        return Run.of(g.program())
                .given("x", random.normal(150 * 200))
                .given("weight", random.normal(130 * 200))
                .count("tokens", 150);
    }

    /** Sequences of several tiles of queries and blocks of keys. */
    private static Run attention() {
        Generators random = Generators.seeded(2);
        Ragged ragged = Ragged.of(70, 3, 100);
        Recorder g = new Recorder("attention");
        List<Tensor> inputs =
                List.of(
                        g.input("query", ragged.rows(80)),
                        g.input("key", ragged.rows(80)),
                        g.input("value", ragged.rows(80)),
                        g.input("offsets", ragged.offsetsType()));
        g.output("y", g.apply(new Attention(2, 0.2f, 0), inputs).getFirst());
        return Run.of(g.program())
                .given("query", random.normal(173 * 80))
                .given("key", random.normal(173 * 80))
                .given("value", random.normal(173 * 80))
                .givenIntegers("offsets", ragged.offsets())
                .count("tokens", 173)
                .count("sequences", 3);
    }

    /** The last expert's scores are far from the others': who overlooks them overflows. */
    private static Run route() {
        Generators random = Generators.seeded(3);
        Recorder g = new Recorder("route");
        Tensor x = g.input("x", rows(21, 40));
        Tensor weight = g.parameter(Parameter.of("weight", 40, 40));
        float[] weights = random.normal(40 * 40);
        for (int i = 39 * 40; i < weights.length; i++) {
            weights[i] *= 30;
        }
        List<Tensor> results = g.apply(new Route(3, false), List.of(x, weight));
        g.output("y", results.get(1)).output("experts", results.get(0));
        return Run.of(g.program())
                .given("x", random.normal(21 * 40))
                .given("weight", weights)
                .count("tokens", 21);
    }

    /** Rounds with weights of their own. */
    private static Run rounds() {
        Generators random = Generators.seeded(4);
        Recorder g = new Recorder("rounds");
        Tensor x = g.input("x", rows(5, 40));
        Tensor weights = g.parameter(Parameter.of("weights", 3, 40, 40));
        Tensor biases = g.parameter(Parameter.of("biases", 3, 40));
        Loop loop = g.loop(3);
        Tensor h = loop.carry(x);
        loop.next(h, g.first(Linear.plain(true), h, loop.row(weights), loop.row(biases)));
        loop.close();
        g.output("y", loop.result(h));
        return Run.of(g.program())
                .given("x", random.normal(200))
                .given("weights", random.normal(4800, 0, 0.15))
                .given("biases", random.normal(120))
                .count("tokens", 5);
    }

    /** As many choices as one block sorts, so that a grid has no block less of them. */
    private static Run products() {
        return Mixtures.product(128, 40, 70, Generators.seeded(5).integers(256, Mixtures.EXPERTS));
    }

    private static Run mixture() {
        return Mixtures.mixture(100, 8, Generators.seeded(6).integers(200, 8));
    }

    private static final List<UnaryOperator<Grid>> TOO_FEW =
            List.of(
                    grid -> new Grid(Math.max(grid.x() - 1, 1), grid.y(), grid.threads()),
                    grid -> new Grid(grid.x(), (grid.y() + 1) / 2, grid.threads()));

    private static Type rows(int rows, int width) {
        return Type.f32(Shape.of(new Extent.Bounded("tokens", rows + 3), Extent.of(width)));
    }

    /** {@return whether a run is caught: it fails, or its numbers are wrong} */
    private static boolean isCaught(Run run, HostDriver driver) {
        return isCaught(run, CORRECT, () -> GpuOnHost.open(driver));
    }

    /** Of values stored in bf16, which may lie further off. */
    private static boolean isCaughtInBf16(Run run, HostDriver driver) {
        return isCaught(run, CORRECT_IN_BF16, () -> GpuOnHost.openBf16(driver));
    }

    private static boolean isCaught(Run run, double correct, Supplier<Backend> open) {
        Map<String, double[]> exact = run.exactly();
        try (Backend backend = open.get()) {
            Map<String, double[]> results = run.on(backend, MemoryPlanner.shared());
            for (String output : exact.keySet()) {
                double e = Tolerance.relativeToRms(exact.get(output), results.get(output));
                if (!(e <= correct)) {
                    return true;
                }
            }
            return false;
        } catch (AssertionError caught) {
            return true;
        }
    }

    /** The text without what stands at the n-th place of a pattern; null beyond the last. */
    private static UnaryOperator<String> without(Pattern pattern, int n) {
        return text -> {
            Matcher places = pattern.matcher(text);
            for (int i = 0; i <= n; i++) {
                assertTrue(places.find(), () -> pattern + " stands fewer than " + n + " times");
            }
            return text.substring(0, places.start()) + ";" + text.substring(places.end());
        };
    }

    @Test
    void kernelsAsTheyAreAreNotCaught() {
        for (Run run : List.of(linear(), attention(), route(), rounds(), products(), mixture())) {
            assertFalse(isCaught(run, HostDriver.orSkip()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "gemm, 0",
        "gemm, 1",
        "attention, 0",
        "attention, 1",
        "attention, 2",
        "attention, 3",
        "round, 0"
    })
    void aMissingBarrierIsCaught(String source, int which) {
        UnaryOperator<String> change = without(Pattern.compile("__syncthreads\\(\\);"), which);
        Run run =
                switch (source) {
                    case "gemm" -> linear();
                    case "attention" -> attention();
                    default -> rounds();
                };
        assertTrue(isCaught(run, HostDriver.orSkip().changing(source, change)));
    }

    @Test
    void kernelsOfBf16AsTheyAreAreNotCaught() {
        for (Run run : List.of(chunks(), linear(), attention())) {
            assertFalse(isCaughtInBf16(run, HostDriver.orSkip()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "matrix_gemm, 0",
        "matrix_gemm, 1",
        "matrix_gemm, 2",
        "matrix_attention, 0",
        "matrix_attention, 1",
        "matrix_attention, 2"
    })
    void aMissingBarrierIsCaughtInBf16(String source, int which) {
        UnaryOperator<String> change = without(Pattern.compile("__syncthreads\\(\\);"), which);
        Run run = source.equals("matrix_gemm") ? chunks() : attention();
        assertTrue(isCaughtInBf16(run, HostDriver.orSkip().changing(source, change)));
    }

    @ParameterizedTest
    @CsvSource({
        "matrix_gemm, 0",
        "matrix_attention, 0",
        "matrix_attention, 1",
        "matrix_attention, 2"
    })
    void aMissingWaitForCopiesIsCaught(String source, int which) {
        UnaryOperator<String> change = without(Pattern.compile("wait_copies<[^>]*>\\(\\);"), which);
        Run run = source.equals("matrix_gemm") ? chunks() : attention();
        assertTrue(isCaughtInBf16(run, HostDriver.orSkip().changing(source, change)));
    }

    /** One group more may be on its way than may be: the newest tile is not there yet. */
    @Test
    void awaitingTooLittleIsCaught() {
        HostDriver driver =
                HostDriver.orSkip()
                        .changing(
                                "matrix_gemm",
                                text ->
                                        text.replace(
                                                "wait_copies<STAGES - 2>",
                                                "wait_copies<STAGES - 1>"));
        assertTrue(isCaughtInBf16(chunks(), driver));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aMissingBarrierOfAWarpIsCaught(int which) {
        UnaryOperator<String> change = without(Pattern.compile("__syncwarp\\(\\);"), which);
        assertTrue(isCaught(route(), HostDriver.orSkip().changing("experts", change)));
    }

    /** Named by what it is there for, in a source or the headers it is of. */
    @ParameterizedTest
    @CsvSource({
        "groups, all groups are there",
        "groups, sizes of groups are there",
        "groups, places are whole",
        "experts, the choices are there",
        "experts, all have multiplied the piece before",
        "experts, the piece is whole",
        "mixture, the hidden values are there",
        "mixture, they are used up"
    })
    void aMissingBarrierOfRoutedProductsIsCaught(String source, String what) {
        Run run = source.equals("mixture") ? mixture() : products();
        String barrier = "__syncthreads();  // " + what;
        assertTrue(
                isCaught(
                        run,
                        HostDriver.orSkip().changing(source, text -> text.replace(barrier, ""))));
    }

    @Test
    void aGridThatDoesNotFitRoutedProductsIsCaught() {
        for (Run run : List.of(products(), mixture())) {
            for (UnaryOperator<Grid> change : TOO_FEW) {
                assertTrue(isCaught(run, HostDriver.orSkip().withGeometry(change)));
            }
        }
    }

    @Test
    void aDivergentBarrierIsCaughtAndNamed() {
        HostDriver driver =
                HostDriver.orSkip()
                        .changing(
                                "gemm",
                                text ->
                                        text.replaceFirst(
                                                "__syncthreads\\(\\);",
                                                "if (threadIdx.x < 64) { __syncthreads(); }"));
        try (Backend backend = GpuOnHost.open(driver)) {
            String message =
                    assertThrows(
                                    AssertionError.class,
                                    () -> linear().on(backend, MemoryPlanner.shared()))
                            .getMessage();
            assertTrue(message.contains("divergent"), message);
            assertTrue(message.contains("linear_f32"), message);
        }
    }

    @Test
    void aWriteOutsideOfMemoryIsCaughtAndNamed() {
        HostDriver driver =
                HostDriver.orSkip()
                        .changing(
                                "gemm",
                                text ->
                                        text.replace(
                                                "(bias, residual, parts, rows,",
                                                "(bias, residual, parts, rows + 4,"));
        try (Backend backend = GpuOnHost.open(driver)) {
            String message =
                    assertThrows(
                                    AssertionError.class,
                                    () -> linear().on(backend, MemoryPlanner.shared()))
                            .getMessage();
            assertTrue(message.contains("linear_f32 wrote past the end"), message);
        }
    }

    @Test
    void memoryThatIsNotThereIsCaughtAndNamed() {
        HostDriver driver =
                HostDriver.orSkip()
                        .changing(
                                "experts",
                                text -> text.replace("groups.order[first + i]", "1 << 30"));
        try (Backend backend = GpuOnHost.open(driver)) {
            String message =
                    assertThrows(
                                    AssertionError.class,
                                    () -> products().on(backend, MemoryPlanner.shared()))
                            .getMessage();
            assertTrue(message.contains("touches memory that is not there"), message);
            assertTrue(message.contains("expert_matmul_64_f32"), message);
        }
    }

    @Test
    void aGridThatDoesNotFitIsCaught() {
        List<UnaryOperator<Grid>> wrong =
                List.of(
                        grid -> new Grid(Math.max(grid.x() - 1, 1), grid.y(), grid.threads()),
                        grid -> new Grid(grid.x(), Math.max(grid.y() - 1, 1), grid.threads()),
                        grid -> new Grid(grid.x(), grid.y(), grid.threads() / 2));
        for (UnaryOperator<Grid> change : wrong) {
            assertTrue(isCaught(linear(), HostDriver.orSkip().withGeometry(change)));
        }
        // More blocks than needed return at once.
        assertFalse(
                isCaught(
                        linear(),
                        HostDriver.orSkip()
                                .withGeometry(grid ->
                                        new Grid(grid.x() + 1, grid.y() + 1, grid.threads()))));
    }
}

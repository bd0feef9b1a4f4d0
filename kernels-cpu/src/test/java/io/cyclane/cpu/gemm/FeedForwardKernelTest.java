package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Two layers at once give the bits of one after the other, however they are cut. */
class FeedForwardKernelTest {
    /** Both sides of every border: one tile, one block, a block per worker, several. */
    @ParameterizedTest
    @ValueSource(
            ints = {
                1, 9, 10, 11, 16, 29, 30, 59, 60, 61, 99, 100, 101, 199, 200, 201, 300, 301, 601
            })
    void hasTheBitsOfTwoLayers(int rows) {
        for (int threads = 1; threads <= 3; threads++) {
            try (Workers workers = new Workers(threads)) {
                check(workers, rows, 64, Activation.GELU, false);
                check(workers, rows, 64, Activation.SILU, true);
            }
        }
    }

    /** Wide enough that few rows are dealt to the workers by panels; over a chunk's border. */
    @ParameterizedTest
    @CsvSource({"1, 193, 700", "7, 384, 1536", "16, 200, 385", "40, 384, 1153", "120, 768, 3072"})
    void takesWidthsOfModels(int rows, int inputs, int hidden) {
        try (Workers workers = new Workers(2)) {
            check(workers, rows, inputs, hidden, Activation.GELU, false);
        }
    }

    private static void check(Workers workers, int rows, int inputs, Activation f, boolean gated) {
        check(workers, rows, inputs, 2 * inputs + 5, f, gated);
    }

    private static void check(
            Workers workers, int rows, int inputs, int hidden, Activation f, boolean gated) {
        int wide = gated ? 2 * hidden : hidden;
        Layer first =
                new Layer(new LinearKernel.Form(inputs, wide, f, gated), rows, 1, true, false, 3);
        Layer second = new Layer(Layer.plain(hidden, inputs), rows, 1, true, true, 4);
        Layer onIt = second.on(first.run(workers), second.residual);
        float[] wanted = onIt.run(workers);
        String what = rows + " rows, " + workers.threads() + " threads";
        MemorySegment y = Layer.nans(4L * rows * inputs);
        Place residual = new Place(Layer.off(second.residual), 0);
        assertArrayEquals(
                wanted, run(workers, first, second, Layer.off(first.x), residual, y), what);

        Layer onItself = second.on(onIt.x, first.x);
        MemorySegment x = Layer.off(first.x);
        float[] inPlace = run(workers, first, second, x, new Place(x, 0), x);
        assertArrayEquals(onItself.run(workers), inPlace, what + ", all in one place");
    }

    private static float[] run(
            Workers workers,
            Layer first,
            Layer second,
            MemorySegment x,
            Place residual,
            MemorySegment y) {
        long each =
                FeedForwardKernel.scratchBytes(
                        first.rows,
                        first.form.inputs(),
                        second.form.inputs(),
                        second.form.outputs(),
                        false);
        new FeedForwardKernel(
                        workers,
                        Count.fixed(first.rows),
                        first.rows,
                        new LeftRows(new Place(x, 0), first.form.inputs(), null),
                        first.at(null, List.of()),
                        second.at(residual, List.of(new Place(y, 0))),
                        new Place(Layer.nans(each * workers.threads()), 0))
                .run();
        return y.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Test
    void refusesLayersThatDoNotFit() {
        Layer first = new Layer(Layer.plain(8, 16), 1, 1, true, false, 3);
        Layer second = new Layer(Layer.plain(17, 8), 1, 1, true, false, 4);
        Place y = new Place(Layer.nans(64), 0);
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                new FeedForwardKernel(
                                        Workers.shared(1),
                                        Count.fixed(1),
                                        1,
                                        new LeftRows(y, 8, null),
                                        first.at(null, List.of()),
                                        second.at(null, List.of(y)),
                                        y));
        assertEquals(
                "feed-forward: the first layer gives 16 columns and 0 results, wanted 17 and 0",
                e.getMessage());
    }
}

package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.cpu.Allocations;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import io.cyclane.tensor.op.Activation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LinearKernelTest {
    private static final Workers ONE = Workers.shared(1);
    private static final int L = Lanes.COUNT;

    @Test
    void agreesWithADoubleSumAtHostileSizes() {
        for (int inputs : new int[] {1, L - 1, L + 1, 31, 383, 384, 385, 769}) {
            for (int outputs : new int[] {1, L - 1, L, L + 1, 31, 32, 33, 97}) {
                for (int rows : new int[] {1, 5, 13, 14, 15, 29, 127}) {
                    Layer layer =
                            new Layer(Layer.plain(inputs, outputs), rows, 1, true, false, inputs);
                    layer.check(layer.run(ONE));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"384, 1152", "768, 3072", "3072, 768"})
    void agreesWithADoubleSumAtModelSizes(int inputs, int outputs) {
        Layer layer = new Layer(Layer.plain(inputs, outputs), 61, 3, true, false, 7);
        layer.check(layer.run(Workers.shared(2)));
    }

    @ParameterizedTest
    @EnumSource
    void fusesWhatFollows(Activation activation) {
        for (int outputs : new int[] {2, 2 * L - 2, 2 * L + 2, 62, 64, 66, 194}) {
            for (boolean gated : new boolean[] {false, true}) {
                for (boolean biased : new boolean[] {false, true}) {
                    for (boolean residual : new boolean[] {false, true}) {
                        LinearKernel.Form form =
                                new LinearKernel.Form(37, outputs, activation, gated);
                        Layer layer = new Layer(form, 23, 1, biased, residual, outputs);
                        layer.check(layer.run(ONE));
                    }
                }
            }
        }
    }

    @Test
    void dealsColumnsToParts() {
        for (int part : new int[] {1, 5, 31, 32, 33, 37, 64}) {
            for (boolean gated : new boolean[] {false, true}) {
                LinearKernel.Form form =
                        new LinearKernel.Form(
                                19, (gated ? 6 : 3) * part, Activation.IDENTITY, gated);
                Layer parts = new Layer(form, 17, 3, true, false, part);
                Layer whole = new Layer(form, 17, 1, true, false, part);
                assertArrayEquals(whole.run(ONE), parts.run(ONE));
            }
        }
    }

    @Test
    void residualMayBeTheResult() {
        Layer layer = new Layer(Layer.plain(50, 70), 30, 1, true, true, 1);
        assertArrayEquals(layer.run(ONE), layer.run(Workers.shared(2), 0, 30, true));
    }

    @Test
    void everyRowHasTheBitsItHasAlone() {
        for (int[] size : new int[][] {{385, 97}, {384, 64}, {1153, 40}}) {
            LinearKernel.Form form =
                    new LinearKernel.Form(size[0], 2 * size[1], Activation.GELU, true);
            Layer layer = new Layer(form, 97, 1, true, true, 3);
            float[] together = layer.run(ONE);
            for (int count = 1; count <= 40; count++) {
                int first = count * 7 % (97 - count);
                int from = first * form.columns();
                float[] expected =
                        Arrays.copyOfRange(together, from, from + count * form.columns());
                assertArrayEquals(expected, layer.run(ONE, first, count, false), "rows " + count);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1152", "3, 640", "97, 64", "300, 331", "40, 4"})
    void threadsDoNotChangeBits(int rows, int outputs) {
        Layer layer = new Layer(Layer.plain(400, outputs), rows, 2 - outputs % 2, true, false, 5);
        float[] expected = layer.run(ONE);
        for (int threads = 2; threads <= 5; threads++) {
            assertArrayEquals(expected, layer.run(Workers.shared(threads)), threads + " threads");
        }
    }

    /** The order of sums that the class promises, worked out element by element. */
    @Test
    void sumsStartFromTheBiasAndTakeInputsInOrder() {
        Layer layer = new Layer(Layer.plain(1000, 33), 15, 1, true, false, 11);
        assertArrayEquals(inOrder(layer), layer.run(ONE));
    }

    static float[] inOrder(Layer layer) {
        int inputs = layer.form.inputs();
        int outputs = layer.form.outputs();
        float[] y = new float[layer.rows * outputs];
        for (int i = 0; i < y.length; i++) {
            int row = i / outputs;
            int column = i % outputs;
            float sum = layer.bias == null ? 0f : layer.bias[column];
            for (int k = 0; k < inputs; k++) {
                sum = Math.fma(layer.x[row * inputs + k], layer.weight[column * inputs + k], sum);
            }
            y[i] = sum;
        }
        return y;
    }

    @Test
    void anInfiniteOrMissingNumberStaysInItsRow() {
        Layer layer = new Layer(Layer.plain(20, 40), 15, 1, false, false, 2);
        float[] clean = layer.run(ONE);
        layer.x[3 * 20 + 5] = Float.NaN;
        layer.x[7 * 20 + 5] = Float.POSITIVE_INFINITY;
        float[] y = layer.run(ONE);
        for (int i = 0; i < y.length; i++) {
            int row = i / 40;
            if (row == 3) {
                assertEquals(Float.NaN, y[i]);
            } else if (row != 7) {
                assertEquals(clean[i], y[i]);
            } else {
                assertEquals(true, Float.isInfinite(y[i]));
            }
        }
    }

    @Test
    void runsTheRowsCountedNow() {
        MemorySegment count = Layer.off(new float[1]);
        MemorySegment y = Layer.nans(4 * 8 * 40);
        MemorySegment x = Layer.off(new float[8 * 10]);
        long scratch = LinearKernel.scratchBytes(8, 10, false);
        Layer layer = new Layer(Layer.plain(10, 40), 8, 1, true, false, 2);
        LinearKernel kernel =
                new LinearKernel(
                        ONE,
                        new LinearKernel.Layer(
                                layer.form,
                                new Place(layer.panels(), 0),
                                null,
                                null,
                                List.of(new Place(y, 0)),
                                null),
                        Count.at(count, 0),
                        8,
                        new LeftRows(new Place(x, 0), 10, null),
                        new Place(Layer.nans(scratch), 0));
        for (int rows : new int[] {0, 1, 5, 8}) {
            y.fill((byte) 0xff);
            count.set(ValueLayout.JAVA_INT, 0, rows);
            kernel.run();
            float[] values = y.toArray(ValueLayout.JAVA_FLOAT);
            for (int i = 0; i < values.length; i++) {
                assertEquals(i / 40 < rows ? 0f : Float.NaN, values[i], "rows " + rows);
            }
        }
    }

    @Test
    void refusesFormsThatCanNotBe() {
        assertThrows(IllegalArgumentException.class, () -> Layer.plain(0, 4));
        assertThrows(
                IllegalArgumentException.class,
                () -> new LinearKernel.Form(3, 5, Activation.SILU, true));
        Layer uneven = new Layer(Layer.plain(3, 4), 2, 3, false, false, 1);
        assertThrows(IllegalArgumentException.class, () -> uneven.run(ONE));
        Layer residualParts = new Layer(Layer.plain(3, 4), 2, 2, false, true, 1);
        assertThrows(IllegalArgumentException.class, () -> residualParts.run(ONE));
    }

    /** Before C2 has compiled the kernel vectors live on the heap, so this waits until it has. */
    @Test
    @Timeout(60)
    void aCompiledRunAllocatesNothing() {
        Layer layer = new Layer(Layer.plain(96, 96), 40, 3, true, false, 4);
        LinearKernel kernel = layer.bind(ONE);
        Runnable runs =
                () -> {
                    for (int i = 0; i < 1000; i++) {
                        kernel.run();
                    }
                };
        long allocated = Long.MAX_VALUE;
        while (allocated > 1000) {
            allocated = Allocations.during(runs);
        }
    }
}

package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.cyclane.cpu.Workers;
import io.cyclane.tensor.host.Count;
import io.cyclane.tensor.host.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MatMulKernelTest {
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "5, 17, 31", "14, 384, 32", "33, 385, 97", "64, 64, 65"})
    void bothFormsHaveTheBitsOfALinearLayer(int rows, int inner, int columns) {
        Layer layer = new Layer(Layer.plain(inner, columns), rows, 1, false, false, columns);
        float[] expected = layer.run(Workers.shared(1));
        layer.check(expected);
        for (int threads = 1; threads <= 3; threads++) {
            assertArrayEquals(expected, product(layer, threads, true, layer.weight));
            float[] turned = turned(layer.weight, columns, inner);
            assertArrayEquals(expected, product(layer, threads, false, turned));
        }
    }

    static float[] turned(float[] values, int rows, int columns) {
        float[] turned = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            turned[i % columns * rows + i / columns] = values[i];
        }
        return turned;
    }

    static float[] product(Layer layer, int threads, boolean transposed, float[] y) {
        int inner = layer.form.inputs();
        int columns = layer.form.outputs();
        long scratch = LinearKernel.scratchBytes(layer.rows, inner, false);
        MemorySegment z = Layer.nans(4L * layer.rows * columns);
        new MatMulKernel(
                        Workers.shared(threads),
                        Count.fixed(layer.rows),
                        layer.rows,
                        inner,
                        columns,
                        new Place(Layer.off(layer.x), 0),
                        new Place(Layer.off(y), 0),
                        transposed,
                        new Place(z, 0),
                        new Place(Layer.nans(MatMulKernel.panelsBytes(inner, columns)), 0),
                        new Place(Layer.nans(scratch * threads), 0))
                .run();
        return z.toArray(ValueLayout.JAVA_FLOAT);
    }
}

package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cyclane.tensor.Shape;
import io.cyclane.tensor.backend.WeightReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PanelPackingTest {
    @ParameterizedTest
    @EnumSource
    void everyWeightStandsInItsPlaceAndTheRestIsZero(PanelPacking packing) {
        for (int inputs : new int[] {1, 15, 16, 17, 40}) {
            for (int outputs : new int[] {2, 30, 32, 34, 64, 98}) {
                checkPlaces(packing, inputs, outputs);
            }
        }
    }

    private static void checkPlaces(PanelPacking packing, int inputs, int outputs) {
        boolean turned = packing.layout().endsWith("-of-input-rows");
        Shape shape = turned ? Shape.of(inputs, outputs) : Shape.of(outputs, inputs);
        float[] rows = new float[inputs * outputs];
        float[] expected = new float[(int) packing.lengthBytes(shape) / 4];
        for (int output = 0; output < outputs; output++) {
            for (int input = 0; input < inputs; input++) {
                float weight = 1 + output * inputs + input;
                rows[turned ? input * outputs + output : output * inputs + input] = weight;
                expected[place(packing, inputs, outputs, output, input)] = weight;
            }
        }
        MemorySegment packed = Layer.nans(packing.lengthBytes(shape));
        packing.pack(WeightReader.of(Layer.off(rows)), shape, packed);
        assertArrayEquals(expected, packed.toArray(ValueLayout.JAVA_FLOAT));
    }

    private static int place(PanelPacking packing, int inputs, int outputs, int output, int input) {
        if (!packing.isPaired()) {
            return (output / 32 * inputs + input) * 32 + output % 32;
        }
        int half = output / (outputs / 2);
        int column = output % (outputs / 2);
        return (column / 16 * inputs + input) * 32 + 16 * half + column % 16;
    }

    @Test
    void layoutsAreNamedApart() {
        assertEquals("panels32", PanelPacking.OUTPUT_ROWS.layout());
        assertEquals("panels32-of-input-rows", PanelPacking.INPUT_ROWS.layout());
        assertEquals("paired-panels16+16", PanelPacking.PAIRED_OUTPUT_ROWS.layout());
        assertEquals("paired-panels16+16-of-input-rows", PanelPacking.PAIRED_INPUT_ROWS.layout());
    }

    @Test
    void refusesWhatIsNoMatrixOrCanNotBeHalved() {
        assertThrows(
                IllegalArgumentException.class,
                () -> PanelPacking.OUTPUT_ROWS.lengthBytes(Shape.of(2, 3, 4)));
        assertThrows(
                IllegalArgumentException.class,
                () -> PanelPacking.PAIRED_OUTPUT_ROWS.lengthBytes(Shape.of(3, 4)));
    }
}

package io.cyclane.cpu.gemm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cyclane.cpu.Jvm;
import io.cyclane.cpu.Lanes;
import io.cyclane.cpu.Workers;
import io.cyclane.tensor.op.Activation;
import java.io.IOException;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the products in a JVM for each vector width: a width is fixed for the life of one. */
class OtherWidthsTest {
    @ParameterizedTest
    @ValueSource(ints = {128, 256, 512})
    @Timeout(120)
    void rightAndBitEqualAtEveryWidth(int bits) throws IOException, InterruptedException {
        int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
        assumeTrue(bits <= widest, () -> bits + " bits: this machine has at most " + widest);
        String printed = Jvm.run(OtherWidthsTest.class, "-D" + Lanes.PROPERTY + "=" + bits);
        String last = printed.strip().lines().reduce("", (a, b) -> b);
        assertEquals(bits + " bits " + products(), last, printed);
    }

    /** Prints the width and the hash of what the products gave; fails if one is wrong. */
    public static void main(String[] arguments) {
        System.out.println(Lanes.bits() + " bits " + products());
    }

    private static int products() {
        LinearKernelTest test = new LinearKernelTest();
        test.dealsColumnsToParts();
        test.sumsStartFromTheBiasAndTakeInputsInOrder();
        Workers workers = Workers.shared(2);
        int hash = 0;
        for (int rows : new int[] {1, 3, 6, 13, 20, 45}) {
            for (int outputs : new int[] {3, 32, 50, 90}) {
                Layer layer = new Layer(Layer.plain(400, outputs), rows, 1, true, true, rows);
                float[] y = layer.run(workers);
                layer.check(y);
                hash = 31 * hash + Arrays.hashCode(y);
            }
            for (Activation activation : Activation.values()) {
                LinearKernel.Form form = new LinearKernel.Form(65, 70, activation, true);
                Layer layer = new Layer(form, rows, 1, true, true, rows);
                layer.check(layer.run(workers));
            }
        }
        return hash;
    }
}

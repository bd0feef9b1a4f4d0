package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.testkit.Tolerance;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole models with values stored in bf16, on the GPU's kernels. The measure is e = max|x -
 * reference| over the RMS, as for F32: at most 4 times that of the reference with each value
 * rounded to bf16. And each text's vector points where the CPU's does.
 */
class Bf16ModelTest {
    private static final double LEAST_COSINE = 0.999;

    @TempDir Path folder;

    @BeforeEach
    void compilesForTheHost() {
        HostDriver.orSkip();
    }

    /** Both kinds of layers at half the width. */
    @Test
    void modernBert() {
        agrees(
                ModelTest.MODERN_BERT
                        .replace("768", "384")
                        .replace("1152", "576")
                        .replace("12,", "6,"));
    }

    @Test
    @Tag("long")
    void modernBertAtFullWidth() {
        agrees(ModelTest.MODERN_BERT);
    }

    /**
     * All experts are taken: which of two is the second would be decided by less than bf16 holds,
     * and from there on another model would be compared.
     */
    @Test
    @Tag("long")
    void modernAlbertWithMixtureOfLoras() {
        agrees(ModelTest.MODERN_ALBERT.replace("\"num_experts\": 8", "\"num_experts\": 2"));
    }

    @Test
    @Tag("long")
    void bert() {
        agrees(ModelTest.BERT);
    }

    /** All six layers, trained. */
    @Test
    @Tag("long")
    void miniLm() {
        ModelTest.withTrainedModels(() -> agree("minilm"));
    }

    private void agrees(String config) {
        SmallModels.write(folder, config);
        agree(folder.toString());
    }

    private static void agree(String model) {
        double[] reference = ModelTest.vectors(model, "reference");
        double rounded =
                Tolerance.relativeToRms(
                        reference, ModelTest.vectors(model, Bf16ReferenceProvider.NAME));
        assertTrue(rounded > 0, "values are rounded");
        ModelTest.with(
                "cyclane.gpuPrecision",
                "bf16",
                () -> {
                    double[] gpu = ModelTest.vectors(model, GpuOnHostProvider.NAME);
                    double e = Tolerance.relativeToRms(reference, gpu);
                    double cosine = leastCosine(ModelTest.vectors(model, "cpu"), gpu);
                    System.out.printf(
                            "%s in bf16: e = %.2e, rounded %.2e, cosine at least %.6f%n",
                            model, e, rounded, cosine);
                    assertTrue(e <= 4 * rounded, () -> "e is %g, rounded %g".formatted(e, rounded));
                    assertTrue(cosine >= LEAST_COSINE, () -> "a cosine is " + cosine);
                });
    }

    private static double leastCosine(double[] wanted, double[] actual) {
        int width = wanted.length / ModelTest.TEXTS.size();
        double least = 1;
        for (int from = 0; from < wanted.length; from += width) {
            double product = 0;
            double wantedSquares = 0;
            double actualSquares = 0;
            for (int i = from; i < from + width; i++) {
                product += wanted[i] * actual[i];
                wantedSquares += wanted[i] * wanted[i];
                actualSquares += actual[i] * actual[i];
            }
            least = Math.min(least, product / Math.sqrt(wantedSquares * actualSquares));
        }
        return least;
    }
}

package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.model.Capacity;
import io.cyclane.model.Encoder;
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
    private static final double LEAST_COSINE_OF_CHOICES = 0.99;

    @TempDir Path folder;

    @BeforeEach
    void compilesForTheHost() {
        HostDriver.orSkip();
    }

    /** Both kinds of layers at half the width. */
    @Test
    void modernBert() {
        agrees(ModelTest.narrower(ModelTest.MODERN_BERT, 2), LEAST_COSINE);
    }

    @Test
    @Tag("long")
    void modernBertAtFullWidth() {
        agrees(ModelTest.MODERN_BERT, LEAST_COSINE);
    }

    /** A third of the width, and every expert of every token: nothing is chosen. */
    @Test
    void modernAlbertWithMixtureOfLoras() {
        agrees(ModelTest.narrower(withAllExperts(), 3), LEAST_COSINE);
    }

    @Test
    @Tag("long")
    void modernAlbertAtFullWidth() {
        agrees(withAllExperts(), LEAST_COSINE);
    }

    /**
     * Scores of a router that is not trained lie close together, and where bf16 does not tell them
     * apart another expert is taken, by the reference that rounds as by the GPU.
     */
    @Test
    @Tag("long")
    void modernAlbertThatChooses() {
        agrees(ModelTest.MODERN_ALBERT, LEAST_COSINE_OF_CHOICES);
    }

    /** What is not half is small: ids, positions, a vector per text. */
    @Test
    void aSessionTakesHalfTheMemory() {
        SmallModels.write(folder, ModelTest.narrower(ModelTest.MODERN_BERT, 2));
        long wide = sessionBytes("F32");
        ModelTest.with(
                "cyclane.gpuPrecision",
                "bf16",
                () -> {
                    long stored = sessionBytes("BF16");
                    assertTrue(stored <= 0.55 * wide, () -> stored + " of " + wide);
                });
    }

    private long sessionBytes(String dtype) {
        try (Encoder encoder =
                Encoder.builder(folder.toString())
                        .backend(GpuOnHostProvider.NAME)
                        .capacity(new Capacity(4096, 64))
                        .load()) {
            assertEquals(dtype, encoder.info().dtype());
            return encoder.info().sessionBytes();
        }
    }

    private static String withAllExperts() {
        return ModelTest.MODERN_ALBERT.replace(
                "\"num_experts\": 8, \"top_k\": 2", "\"num_experts\": 4, \"top_k\": 4");
    }

    @Test
    @Tag("long")
    void bert() {
        agrees(ModelTest.BERT, LEAST_COSINE);
    }

    /** All six layers, trained. */
    @Test
    @Tag("long")
    void miniLm() {
        ModelTest.withTrainedModels(() -> agree("minilm", LEAST_COSINE));
    }

    private void agrees(String config, double leastCosine) {
        SmallModels.write(folder, config);
        agree(folder.toString(), leastCosine);
    }

    private static void agree(String model, double leastCosine) {
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
                    assertTrue(cosine >= leastCosine, () -> "a cosine is " + cosine);
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

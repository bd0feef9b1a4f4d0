package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.HostDriver;
import io.cyclane.model.Capacity;
import io.cyclane.model.Embeddings;
import io.cyclane.model.Encoder;
import io.cyclane.model.Placement;
import io.cyclane.tensor.backend.DeviceLostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model on the CPU and a GPU at the same time: which runs what, and what becomes of a loss. */
class PlacementTest {
    /** Vectors have length 1; both backends lie within 1e-4 of their RMS of the same. */
    private static final double APART = 1e-4;

    private static final String GPU = GpuOnHostProvider.NAME;

    @TempDir Path folder;

    @BeforeEach
    void writesAModel() {
        HostDriver.orSkip();
        SmallModels.write(
                folder,
                """
                {"model_type": "modernbert", "vocab_size": 58, "hidden_size": 48,
                 "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 40,
                 "max_position_embeddings": 64, "local_attention": 8,
                 "global_attn_every_n_layers": 3, "hidden_activation": "gelu"}
                """);
    }

    private Encoder encoder(Placement placement) {
        return Encoder.builder(folder.toString())
                .placement(placement)
                .capacity(new Capacity(64, 8))
                .load();
    }

    private static List<String> texts(int count) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add("rain and stones ".repeat(i % 3).strip() + (char) ('a' + i % 26));
        }
        return texts;
    }

    private float[][] alone(String backend, List<String> texts) {
        try (Encoder encoder = encoder(Placement.fixed(backend))) {
            return encoder.embed(texts);
        }
    }

    private static void near(float[][] wanted, float[][] actual) {
        assertEquals(wanted.length, actual.length);
        for (int i = 0; i < wanted.length; i++) {
            double squares = 0;
            for (float x : wanted[i]) {
                squares += x * x;
            }
            double allowed = APART * Math.sqrt(squares / wanted[i].length);
            for (int j = 0; j < wanted[i].length; j++) {
                assertEquals(wanted[i][j], actual[i][j], allowed, "text " + i);
            }
        }
    }

    @Test
    void smallBatchesRunOnTheCpuAndLargeOnesOnTheGpu() {
        try (Encoder encoder = encoder(new Placement.Auto("cpu", GPU, 20))) {
            Embeddings small = encoder.run(texts(1));
            assertTrue(small.backend().contains("1 text or part; gpu"), small.backend());
            assertTrue(small.backend().endsWith("0 texts or parts"), small.backend());
            assertArrayEquals(alone("cpu", texts(1)), small.vectors());
            Embeddings large = encoder.run(texts(6));
            assertTrue(large.backend().endsWith(": 6 texts or parts"), large.backend());
            assertArrayEquals(alone(GPU, texts(6)), large.vectors());
        }
    }

    /** On the host the GPU's kernels are the slower ones, at every size. */
    @Test
    void whereTheCpuIsMeasuredToBeFasterItRunsAll() {
        try (Encoder encoder = encoder(new Placement.Auto("cpu", GPU, 0))) {
            Embeddings all = encoder.run(texts(6));
            assertTrue(all.backend().endsWith(": 0 texts or parts"), all.backend());
            assertArrayEquals(alone("cpu", texts(6)), all.vectors());
        }
    }

    @Test
    void aListSplitOverBothEqualsEachAlone() {
        List<String> texts = texts(60);
        float[][] cpu = alone("cpu", texts);
        try (Encoder encoder = encoder(new Placement.Split("cpu", GPU))) {
            for (int run = 0; run < 3; run++) {
                Embeddings both = encoder.run(texts);
                near(cpu, both.vectors());
                near(alone(GPU, texts), both.vectors());
                assertTrue(both.backend().contains("; gpu"), both.backend());
                if (run == 0) {
                    assertTrue(!both.backend().contains(": 0 texts"), both.backend());
                }
            }
            assertEquals(0, encoder.run(List.of()).vectors().length);
        }
    }

    @Test
    void theNextBatchIsReadWhileTheDeviceComputes() {
        try (Encoder encoder = encoder(Placement.fixed(GPU))) {
            float[][] one = new float[60][];
            for (int i = 0; i < one.length; i++) {
                one[i] = encoder.embed(texts(60).get(i));
            }
            HostDriver driver = GpuOnHostProvider.last();
            assertEquals(0, driver.overlaps(), "a single batch has nothing to overlap");
            assertArrayEquals(one, encoder.embed(texts(60)));
            assertTrue(driver.overlaps() > 2, "overlaps: " + driver.overlaps());
            String tooLong = "rain ".repeat(62);
            assertArrayEquals(
                    new float[][] {one[0], encoder.embed(tooLong), one[1]},
                    encoder.embed(List.of(texts(60).get(0), tooLong, texts(60).get(1))));
        }
    }

    @Test
    void allThatWasUnderWayOnALostDeviceIsRepeated() {
        for (int launches = 40; launches < 400; launches += 90) {
            try (Encoder encoder = encoder(new Placement.Auto("cpu", GPU, 1))) {
                GpuOnHostProvider.last().loseAfter(launches);
                Embeddings some = encoder.run(texts(60));
                near(alone("cpu", texts(60)), some.vectors());
                assertTrue(!some.backend().contains(": 60 texts"), some.backend());
            }
        }
    }

    @Test
    void aLostDeviceIsLoggedAndTheBatchRepeatedOnTheCpu() {
        try (Encoder encoder = encoder(new Placement.Auto("cpu", GPU, 1))) {
            near(alone("cpu", texts(9)), encoder.embed(texts(9)));
        }
        float[][] cpu = alone("cpu", texts(9));
        try (Encoder encoder = encoder(new Placement.Auto("cpu", GPU, 1))) {
            GpuOnHostProvider.last().loseAfter(5);
            Embeddings repeated = encoder.run(texts(9));
            assertArrayEquals(cpu, repeated.vectors());
            assertTrue(repeated.backend().endsWith(": 0 texts or parts"), repeated.backend());
            assertArrayEquals(cpu, encoder.embed(texts(9)));
        }
    }

    @Test
    void aDeviceLostWithoutAnotherIsATypedErrorAndTheModelCloses() {
        try (Encoder encoder = encoder(Placement.fixed(GPU))) {
            GpuOnHostProvider.last().loseAfter(5);
            assertThrows(DeviceLostException.class, () -> encoder.embed(texts(9)));
        }
        try (Encoder encoder = encoder(new Placement.Split("cpu", GPU))) {
            GpuOnHostProvider.last().loseAfter(5);
            assertThrows(DeviceLostException.class, () -> encoder.embed(texts(60)));
        }
    }
}

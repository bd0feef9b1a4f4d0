package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.driver.CudaDriver;
import io.cyclane.gpu.driver.CudaVersion;
import io.cyclane.tensor.backend.BackendException;
import io.cyclane.tensor.backend.BackendProvider;
import io.cyclane.tensor.backend.Backends;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** How the backend is found, and what is said where it can not run. */
class GpuProviderTest {
    private static BackendProvider provider() {
        return Backends.providers().stream()
                .filter(provider -> provider.name().equals("gpu"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void itIsFoundAndChosenBeforeTheCpu() {
        BackendProvider cpu =
                Backends.providers().stream()
                        .filter(provider -> provider.name().equals("cpu"))
                        .findFirst()
                        .orElseThrow();
        assertTrue(provider().rank() > cpu.rank());
    }

    @Test
    void whereThereIsNoDriverItSaysSoAndIsNotReplacedInSilence() {
        Optional<String> obstacle = provider().obstacle();
        if (obstacle.isEmpty()) {
            System.out.println("skipped: this machine has a GPU");
        }
        Assumptions.assumeTrue(obstacle.isPresent());
        assertTrue(obstacle.get().contains("driver"), obstacle.get());
        String message =
                assertThrows(BackendException.class, () -> Backends.open("gpu")).getMessage();
        assertTrue(message.startsWith("backend 'gpu' can not run: "), message);
        assertEquals("backend 'gpu' can not run: " + obstacle.get(), message);
    }

    @Test
    void anOldDriverIsToldByVersion() {
        Optional<String> old =
                CudaDriver.tooOld(CudaVersion.ofNumber(12040), CudaVersion.parse("13.0"));
        assertTrue(old.orElseThrow().contains("12.4") && old.get().contains("13.0"), old.get());
        assertEquals(
                Optional.empty(),
                CudaDriver.tooOld(CudaVersion.ofNumber(13000), CudaVersion.parse("13.0")));
        assertEquals(
                Optional.empty(),
                CudaDriver.tooOld(CudaVersion.ofNumber(14010), CudaVersion.parse("13.2")));
    }

    @Test
    void aPrecisionThatThereIsNotIsRefusedWithThoseThereAre() {
        ModelTest.with(
                "cyclane.gpuPrecision",
                "fp16",
                () -> {
                    String message =
                            assertThrows(BackendException.class, Precision::ofSettings)
                                    .getMessage();
                    assertTrue(message.contains("[f32, tf32, bf16], is 'fp16'"), message);
                });
        ModelTest.with(
                "cyclane.gpuPrecision",
                "tf32",
                () -> assertEquals(Precision.TF32, Precision.ofSettings()));
    }
}

package io.cyclane.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cyclane.gpu.host.CudaModel;
import io.cyclane.gpu.host.HostDriver;
import io.cyclane.tensor.backend.Backend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The binding to CUDA, down to its native library, against a model of libcuda: every call of ours
 * with its arguments as native code sees them. Wants JCuda's natives: {@code bin/verify -Pcuda}.
 */
class CudaDriverTest {
    private static CudaModel model;

    @BeforeAll
    static void buildsTheModel() {
        boolean hasNatives =
                CudaDriverTest.class.getResource("/lib/libJCudaDriver-12.6.0-linux-x86_64.so")
                        != null;
        if (!hasNatives) {
            System.out.println("the binding to CUDA is not run: no natives, add -Pcuda");
        }
        Assumptions.assumeTrue(hasNatives);
        HostDriver.orSkip();
        model = CudaModel.build();
    }

    private static List<String> said(Map<String, String> settings) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                System.getProperty("java.home") + "/bin/java",
                                "--add-modules",
                                "jdk.incubator.vector",
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty(
                                        "surefire.test.class.path",
                                        System.getProperty("java.class.path")),
                                CudaModelMain.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(model.environment());
        builder.environment().putAll(settings);
        try {
            Process process = builder.start();
            String text =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), text);
            return text.lines().filter(line -> !line.startsWith("WARNING")).toList();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theWholeBackendGivesWhatTheHostDriverGives() {
        int wanted;
        try (Backend backend = GpuOnHost.open()) {
            wanted = Arrays.hashCode(GpuBackendTest.results(backend, 5));
        }
        assertEquals(
                List.of(
                        "gpu, a model of a device, 3 GiB, compute 8.6, F32: " + wanted,
                        "events: 1.5",
                        "tiles: "
                                + longs(4096, 1L << 48 | 9L << 32 | 2 << 16 | 3 << 8 | 2)
                                + longs(768, 16384, 0, 0, 0)
                                + longs(64L << 32 | 1, 128L << 32 | 1, 0, 0, 0)
                                + longs(1536)),
                said(Map.of()));
    }

    private static String longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return HexFormat.of().formatHex(bytes.array());
    }

    @Test
    void anOldDriverAndNoDeviceAreObstacles() {
        List<String> old = said(Map.of("CYCLANE_MODEL_VERSION", "12040"));
        assertTrue(
                old.getFirst().startsWith("obstacle: the NVIDIA driver is for CUDA 12.4"),
                old + "");
        List<String> none = said(Map.of("CYCLANE_MODEL_DEVICES", "0"));
        assertTrue(
                none.getFirst().startsWith("obstacle: the NVIDIA driver sees no device"),
                none + "");
    }

    @Test
    void memoryThatAnotherProcessTookIsATypedErrorThatSaysSo() {
        List<String> failed = said(Map.of("CYCLANE_MODEL_SHARES", "4000"));
        assertTrue(
                failed.getFirst().startsWith("failed: cuMemAlloc of ")
                        && failed.getFirst()
                                .endsWith(": another process may hold the device's memory"),
                failed + "");
    }

    @Test
    void aLostDeviceIsATypedError() {
        List<String> lost = said(Map.of("CYCLANE_MODEL_LOSES", "1"));
        assertTrue(
                lost.getFirst()
                        .startsWith(
                                "lost: the work before cuEventSynchronize failed: CUDA_ERROR_LAUNCH_FAILED (719"),
                lost + "");
    }
}

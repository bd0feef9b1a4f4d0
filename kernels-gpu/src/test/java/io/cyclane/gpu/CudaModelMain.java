package io.cyclane.gpu;

import io.cyclane.gpu.driver.CudaDriver;
import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.Event;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.ptx.PtxLibrary;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.DeviceLostException;
import java.util.Arrays;
import java.util.Optional;

/** What {@link CudaDriverTest} runs in a JVM of its own, where libcuda is a model. */
final class CudaModelMain {
    private CudaModelMain() {}

    /** Prints one line: an obstacle, or what a program gives through the whole backend. */
    public static void main(String... arguments) {
        CudaDriver driver = new CudaDriver();
        Optional<String> obstacle = driver.obstacle(PtxLibrary.toolkit());
        if (obstacle.isPresent()) {
            System.out.println("obstacle: " + obstacle.get());
            return;
        }
        try (Backend backend = Backends.open("gpu")) {
            System.out.println(
                    backend.description()
                            + ": "
                            + Arrays.hashCode(GpuBackendTest.results(backend, 5)));
        } catch (DeviceLostException e) {
            System.out.println("lost: " + e.getMessage());
            return;
        }
        try (Device device = driver.open();
                Stream stream = device.stream();
                Event first = device.event();
                Event second = device.event()) {
            stream.record(first);
            stream.record(second);
            stream.synchronize();
            System.out.println("events: " + second.millisSince(first));
        }
    }
}

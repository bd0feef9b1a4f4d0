package io.cyclane.gpu;

import io.cyclane.gpu.driver.Arguments;
import io.cyclane.gpu.driver.CudaDriver;
import io.cyclane.gpu.driver.Device;
import io.cyclane.gpu.driver.DeviceMemory;
import io.cyclane.gpu.driver.DriverException;
import io.cyclane.gpu.driver.Event;
import io.cyclane.gpu.driver.Grid;
import io.cyclane.gpu.driver.KernelModule;
import io.cyclane.gpu.driver.Stream;
import io.cyclane.gpu.driver.TensorTiles;
import io.cyclane.gpu.launch.Argument;
import io.cyclane.gpu.ptx.PtxLibrary;
import io.cyclane.tensor.DType;
import io.cyclane.tensor.backend.Backend;
import io.cyclane.tensor.backend.Backends;
import io.cyclane.tensor.backend.DeviceLostException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
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
        } catch (DriverException e) {
            System.out.println("failed: " + e.getMessage());
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
            try (KernelModule module = device.load("round.ptx", PtxLibrary.of("round"));
                    DeviceMemory memory = device.allocate(256)) {
                Arguments counter =
                        new Arguments(List.of(new Argument.Address(memory.address()).bytes()));
                stream.launch(module.function("begin_rounds"), new Grid(4, 1, 32, 2), counter);
                stream.synchronize();
            }
            TensorTiles tiles =
                    new TensorTiles(
                            DType.BF16,
                            4096,
                            List.of(768L, 16384L),
                            List.of(1536L),
                            List.of(64, 128),
                            TensorTiles.Swizzle.BYTES_128);
            System.out.println(
                    "tiles: " + HexFormat.of().formatHex(device.describe(tiles), 0, 104));
        }
    }
}

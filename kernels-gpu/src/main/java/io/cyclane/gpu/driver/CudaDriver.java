package io.cyclane.gpu.driver;

import java.util.Locale;
import java.util.Optional;
import jcuda.driver.JCudaDriver;

/**
 * NVIDIA's driver through JCuda: its driver API alone, which needs the display driver's library and
 * no toolkit.
 */
public final class CudaDriver implements Driver {
    /** The driver of this system. */
    public CudaDriver() {}

    @Override
    public Optional<String> obstacle(CudaVersion needed) {
        if (!CudaLibrary.isThere()) {
            return Optional.of(
                    "there is no NVIDIA driver (%s is not found): install the display driver"
                            .formatted(CudaLibrary.name()));
        }
        try {
            return nativeObstacle(needed);
        } catch (LinkageError e) {
            return Optional.of(
                    "JCuda's native library for this platform can not be loaded (%s): add org.jcuda:jcuda-natives:12.6.0 with the classifier of your platform, such as linux-x86_64"
                            .formatted(firstLine(e)));
        }
    }

    private static Optional<String> nativeObstacle(CudaVersion needed) {
        int result = JCudaDriver.cuInit(0);
        int[] number = new int[1];
        if (result == Cuda.SUCCESS) {
            Cuda.check(JCudaDriver.cuDriverGetVersion(number), "cuDriverGetVersion");
        } else {
            return Optional.of("the NVIDIA driver does not start: " + Cuda.text(result));
        }
        Optional<String> old = tooOld(CudaVersion.ofNumber(number[0]), needed);
        if (old.isPresent()) {
            return old;
        }
        Cuda.check(JCudaDriver.cuDeviceGetCount(number), "cuDeviceGetCount");
        return number[0] > 0
                ? Optional.empty()
                : Optional.of(
                        "the NVIDIA driver sees no device: look at nvidia-smi and CUDA_VISIBLE_DEVICES");
    }

    /** {@return why a driver of this version does not do, if so} */
    public static Optional<String> tooOld(CudaVersion has, CudaVersion needed) {
        return has.compareTo(needed) >= 0
                ? Optional.empty()
                : Optional.of(
                        "the NVIDIA driver is for CUDA %s and the kernels need one for CUDA %s or later: update the driver"
                                .formatted(has, needed));
    }

    private static String firstLine(LinkageError e) {
        return String.valueOf(e.getMessage())
                .lines()
                .findFirst()
                .orElse("")
                .strip()
                .toLowerCase(Locale.ROOT);
    }

    @Override
    public Device open() {
        return CudaDevice.open(0);
    }
}
